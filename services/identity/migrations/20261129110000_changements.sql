-- The changes of a record are few: found by its id, then put in order.
set local statement_timeout = 0;
drop index changement_id_idx;
create index changement_id_idx on changement (id);
