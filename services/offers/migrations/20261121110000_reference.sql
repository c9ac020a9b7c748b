comment on schema offers is 'Offres opérationnelles, lieux, situations. Operational offers, places, situations.';

create table reference (
    id      text    not null,
    genre   text    not null,
    region  text    not null,
    version bigint  not null,
    retire  boolean not null,
    constraint reference_pkey primary key (id)
);
comment on table reference is 'Ressources connues des autres services. Resources of other services known to exist, kept by their events.';
