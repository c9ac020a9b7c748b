-- An entry less a row: by value first, the index of unique identifiers also finds by value alone, and the
-- other one keeps only those it does not. A lookup names one branch, or both.
set local statement_timeout = 0;
drop index identifiant_valeur_key;
drop index identifiant_valeur_idx;
create unique index identifiant_unique_key on identifiant (valeur, systeme) where unique_;
create index identifiant_partage_idx on identifiant (valeur) where not unique_;
