-- Which codes the resources of the other services use, kept from their events.

create table code_utilise (
    id      bigint generated always as identity,
    systeme text not null,
    code    text not null,
    constraint code_utilise_pkey primary key (id)
);
create unique index code_utilise_code_key on code_utilise (systeme, code);
comment on table code_utilise is 'Codes rencontrés. Every code met in a resource, under a short number.';

create table usage_ressource (
    genre      text     not null,
    agregat_id text     not null,
    region     text     not null,
    version    bigint   not null,
    codes      bigint[] not null,
    constraint usage_ressource_pkey primary key (genre, agregat_id)
);
comment on table usage_ressource is 'Codes de chaque ressource. Codes of each resource at its last version; none once it is withdrawn.';

create table usage_compte (
    code_id bigint not null,
    genre   text   not null,
    region  text   not null,
    nombre  bigint not null,
    constraint usage_compte_pkey primary key (code_id, genre, region)
);
comment on table usage_compte is 'Nombre de ressources par code. How many resources of a kind and region use a code.';
