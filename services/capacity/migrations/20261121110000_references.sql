-- Which places exist, kept by the events of the service offers.

create table reference (
    id      text    not null,
    genre   text    not null,
    region  text    not null,
    version bigint  not null,
    retire  boolean not null,
    constraint reference_pkey primary key (id)
);
comment on table reference is 'Ressources des autres domaines. Which resources of offers exist, followed by events; a capacity is only written for a known place.';
comment on column reference.region is 'Code INSEE de la région. Region of the resource; the capacity of a place is written under the region of the place.';
comment on column reference.version is 'Dernière version connue. Last version seen; an older event changes nothing.';
