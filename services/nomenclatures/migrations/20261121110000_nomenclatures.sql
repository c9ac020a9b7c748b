-- The aggregates of the mechanism are enough: one row a version of a nomenclature.

comment on column agregat.id is 'Dans ce schéma : canonique|version. Here: canonical|version; every version received is kept.';
comment on column agregat.etat is 'Dans ce schéma : ror.nomenclatures.v1.Nomenclature. Here: a whole version with its concepts.';
