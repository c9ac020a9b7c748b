alter table edition
    add column statut    int     not null default 1,
    add column operateur text    not null default '',
    add column serie     text    not null default '',
    add column cle       text    not null default '',
    add column schema    text    not null default '',
    add column taille    bigint  not null default 0,
    add column etendue   int     not null default 0,
    add column exclues   int     not null default 0,
    add column interne   boolean not null default false,
    add column annule    uuid;
update edition set statut = case when fin is null then 1 else 3 end;
alter table edition alter column statut drop default;
create index edition_format_idx on edition (format, statut, debut desc);
comment on table edition is 'Éditions reçues. Editions received, with their report; statut 1 without fin: being loaded, or dead while it was. etendue: 0 a whole file, 1 a part by the word of who sent it, 2 cut before its end; taille: bytes after decompression; interne: written by a person''s decision or an undoing, not by a file; annule: the edition it undoes.';

create table changement (
    edition_id uuid   not null,
    rang       bigint not null,
    id         text   not null,
    version    bigint not null,
    charge     bytea  not null,
    constraint changement_pkey primary key (edition_id, rang)
);
create index changement_id_idx on changement (id, edition_id, rang);
comment on table changement is 'Changements appliqués. Every change an edition made; version is that of the record after it, 0 when nothing was written. No foreign key: checking one a row would cost more than the rows of a first load.';

create table absence (
    format   int     not null,
    id       text    not null,
    genre    text    not null,
    cle      text    not null,
    edition  text    not null,
    nombre   int     not null,
    fermee   boolean not null,
    constraint absence_pkey primary key (format, id)
);
comment on table absence is 'Absences en cours. Records missing from the last whole editions of a format: how many in a row, the key of the last one, and whether the record was closed for that.';

create table anomalie (
    id           uuid        not null,
    regle        text        not null,
    genre        text        not null,
    ressource_id text        not null,
    cle          text        not null,
    champ        text        not null,
    valeurs      bytea       not null,
    edition_id   uuid        not null,
    vue_le       timestamptz not null,
    statut       int         not null,
    decide_par   text        not null default '',
    decide_le    timestamptz,
    motif        text        not null default '',
    charge       bytea       not null,
    constraint anomalie_pkey primary key (id)
);
create unique index anomalie_ouverte_key on anomalie (regle, ressource_id, champ) where statut = 1;
create index anomalie_cle_idx on anomalie (cle);
comment on table anomalie is 'Anomalies et propositions. What a person should look at; open (statut 1) at most once a rule, record and field. valeurs: hash of the two values, so that what was set aside is not shown again.';
