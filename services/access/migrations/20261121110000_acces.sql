-- What must never leave the service: fingerprints of secrets, and signing keys.

create table secret (
    client_id text        not null,
    empreinte bytea       not null check (octet_length(empreinte) = 32),
    cree_le   timestamptz not null default now(),
    constraint secret_pkey primary key (client_id)
);
comment on table secret is 'Empreintes des secrets. SHA-256 of the 256-bit random secret of a client; the secret itself is shown once and never kept.';

create table cle_signature (
    kid        text        not null,
    pem        text        not null,
    cree_le    timestamptz not null default now(),
    retiree_le timestamptz,
    constraint cle_signature_pkey primary key (kid)
);
comment on table cle_signature is 'Clés de signature des jetons. ES256 private keys; the newest one not withdrawn signs, a withdrawn one verifies until its last token has expired.';

comment on column agregat.etat is 'Dans ce schéma : ror.access.v1.Access. Here: a consumer, or the policy under the id politique.';
