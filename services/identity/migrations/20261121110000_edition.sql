comment on schema identity is 'Miroirs de FINESS et RPPS. Mirrors of FINESS and RPPS.';

create table edition (
    id      uuid        not null,
    format  int         not null,
    nom     text        not null,
    sha256  text        not null,
    debut   timestamptz not null,
    fin     timestamptz,
    rapport bytea,
    constraint edition_pkey primary key (id)
);
create index edition_debut_idx on edition (debut desc);
comment on table edition is 'Éditions chargées. Editions loaded, with their report; fin is null while one runs or when it died.';

create table ligne_refusee (
    edition_id uuid   not null,
    rang       bigint not null,
    ligne      bigint not null,
    charge     bytea  not null,
    constraint ligne_refusee_pkey primary key (edition_id, rang),
    constraint ligne_refusee_edition_fkey foreign key (edition_id) references edition (id) on delete cascade
);
comment on table ligne_refusee is 'Lignes refusées d''une édition. Refused lines with their reasons; no content for personal data.';
