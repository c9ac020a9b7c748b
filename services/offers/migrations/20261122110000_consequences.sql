create table structure (
    id             text    not null,
    version        bigint  not null,
    genre          text    not null,
    parent_id      text    not null,
    type_fermeture text    not null,
    date_fermeture text    not null,
    constraint structure_pkey primary key (id)
);
create index structure_parent_idx on structure (parent_id);
comment on table structure is 'Structures suivies. What offers need of each structure: where it hangs and whether it is closed; ERR when withdrawn.';

create table consequence (
    id             text        not null default gen_random_uuid()::text,
    ressource_id   text        not null,
    genre          text        not null,
    region         text        not null,
    regle          text        not null,
    cause_id       text        not null,
    cause_version  bigint      not null,
    origine        text        not null,
    type_fermeture text        not null,
    date_fermeture text        not null,
    vue_le         timestamptz not null,
    etat           int         not null,
    decide_par     text        not null default '',
    decide_le      timestamptz,
    motif          text        not null default '',
    levee_le       timestamptz,
    constraint consequence_pkey primary key (id)
);
create unique index consequence_en_cours_key on consequence (ressource_id, regle, cause_id) where levee_le is null;
create index consequence_cause_idx on consequence (cause_id) where levee_le is null;
create index consequence_vue_idx on consequence (vue_le desc, id desc);
comment on table consequence is 'Ce que les registres changent aux offres et situations. One row while its cause holds, kept afterwards; etat is EtatConsequence.';
