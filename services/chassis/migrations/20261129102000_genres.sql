-- Nothing is looked up by region within a kind: kinds alone, few, take some bytes a row instead of a key.
set local statement_timeout = 0;
drop index agregat_genre_idx;
create index agregat_genre_idx on agregat (genre);
