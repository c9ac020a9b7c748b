create table offre (
    id             text   not null,
    version        bigint not null,
    type_fermeture text   not null,
    date_fermeture text   not null,
    constraint offre_pkey primary key (id)
);
create index offre_annoncee_idx on offre (date_fermeture) where type_fermeture <> '';
comment on table offre is 'Offres suivies. What the closure of places needs of each offer: whether it is closed, and since when.';

create table offre_lieu (
    offre_id text not null,
    lieu_id  text not null,
    constraint offre_lieu_pkey primary key (offre_id, lieu_id)
);
create index offre_lieu_lieu_idx on offre_lieu (lieu_id);
comment on table offre_lieu is 'Lieux des offres suivies. The places each offer uses; a withdrawn offer uses none.';

create table lieu_ferme (
    lieu_id        text not null,
    type_fermeture text not null,
    date_fermeture text not null,
    constraint lieu_ferme_pkey primary key (lieu_id)
);
comment on table lieu_ferme is 'Lieux dont toutes les offres sont fermées. What the rule last decided; capacities written for the first time follow it.';
