-- Tables of the mechanism, alike in every schema. The schema itself is chosen by search_path.

create table agregat (
    genre    text        not null,
    id       text        not null,
    region   text        not null,
    version  bigint      not null check (version > 0),
    etat     bytea       not null,
    retire   boolean     not null default false,
    cree_le  timestamptz not null,
    maj_le   timestamptz not null,
    constraint agregat_pkey primary key (id)
);
create index agregat_genre_idx on agregat (genre, region, id);
comment on table agregat is 'État courant de chaque ressource. Current state of each resource; etat is its protobuf message without version and date.';

create table agregat_historique (
    id         text        not null,
    version    bigint      not null,
    etat       bytea       not null,
    retire     boolean     not null,
    provenance bytea       not null,
    maj_le     timestamptz not null,
    constraint agregat_historique_pkey primary key (id, version)
);
comment on table agregat_historique is 'Toutes les versions. Every version of every resource, with who wrote it.';

create table identifiant (
    id      text    not null,
    systeme text    not null,
    valeur  text    not null,
    unique_ boolean not null,
    constraint identifiant_pkey primary key (id, systeme, valeur)
);
create unique index identifiant_valeur_key on identifiant (systeme, valeur) where unique_;
create index identifiant_valeur_idx on identifiant (valeur);
comment on table identifiant is 'Identifiants métier. Business identifiers of the resources; unique_ ones belong to one resource.';

create table outbox_event (
    position    bigint generated always as identity,
    event_id    uuid        not null,
    sujet       text        not null,
    charge      bytea       not null,
    traceparent text,
    cree_le     timestamptz not null default now(),
    sequence    bigint,
    constraint outbox_event_pkey primary key (position)
);
create index outbox_event_a_publier_idx on outbox_event (position) where sequence is null;
comment on table outbox_event is 'Boîte d''envoi. Events written with the change they tell; sequence is set once JetStream has acknowledged.';

create table relai (
    flux     text        not null,
    cree_le  timestamptz not null,
    sequence bigint      not null,
    constraint relai_pkey primary key (flux)
);
comment on table relai is 'Repère du relais. Last stream sequence acknowledged; cree_le tells one life of the stream from the next.';

create table suivi (
    nom      text        not null,
    flux     text        not null,
    cree_le  timestamptz not null,
    sequence bigint      not null,
    constraint suivi_pkey primary key (nom)
);
comment on table suivi is 'Position des consommateurs. Where each durable follower stands; written in the transaction of its effect.';

create table bail (
    region   text   not null,
    domaine  text   not null,
    ecrivain int    not null,
    epoque   bigint not null,
    constraint bail_pkey primary key (region, domaine)
);
comment on table bail is 'Baux d''écriture. Writer lease in force, as installed by bascule.';

create table paquet_refuse (
    id         uuid        not null,
    recu_le    timestamptz not null,
    region     text        not null,
    genre      text        not null,
    agregat_id text        not null,
    provenance bytea       not null,
    etat       bytea       not null,
    motif      text        not null,
    constraint paquet_refuse_pkey primary key (id)
);
create index paquet_refuse_recu_idx on paquet_refuse (recu_le desc);
create index paquet_refuse_region_idx on paquet_refuse (region, recu_le desc);
comment on table paquet_refuse is 'Écritures refusées par le bail. Writes refused by the lease, kept to be examined or replayed.';
