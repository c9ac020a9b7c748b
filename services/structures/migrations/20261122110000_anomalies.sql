create table anomalie (
    id           text        not null default gen_random_uuid()::text,
    structure_id text        not null,
    region       text        not null,
    regle        text        not null,
    champ        text        not null,
    valeur_ror   text        not null,
    valeur_recue text        not null,
    source       text        not null,
    vue_le       timestamptz not null,
    revue_le     timestamptz not null,
    etat         int         not null,
    close_le     timestamptz,
    constraint anomalie_pkey primary key (id)
);
create unique index anomalie_ouverte_key on anomalie (structure_id, regle, champ) where etat = 1;
create index anomalie_vue_idx on anomalie (vue_le desc, id desc);
comment on table anomalie is 'Désaccords entre le ROR et une source. Both values of an element, one kept, one not; etat is EtatAnomalie.';

create table succession (
    finess_nouveau text        not null,
    finess_ancien  text        not null,
    id_tenu        text        not null,
    origine        text        not null,
    faite_le       timestamptz not null,
    constraint succession_pkey primary key (finess_nouveau),
    constraint succession_ancien_key unique (finess_ancien)
);
comment on table succession is 'Numéros FINESS qui succèdent à d''autres. A person accepted it in identity; id_tenu is the structure that keeps its id under the new number.';
