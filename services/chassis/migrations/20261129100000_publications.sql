-- What is published is told by ranges of positions, not by a column of each event: to mark one no longer
-- writes its row again. The column is gone with this, not a release later: a relay that went by it would
-- publish again all that the new one marks.
set local statement_timeout = 0;
lock table outbox_event in access exclusive mode;

create table outbox_publication (
    de    bigint not null,
    a     bigint not null,
    ecart bigint,
    constraint outbox_publication_pkey primary key (de),
    constraint outbox_publication_ordre_check check (de <= a)
);
create index outbox_publication_trou_idx on outbox_publication (de) where ecart is null;
comment on table outbox_publication is 'Positions publiées. Ranges of positions that JetStream has acknowledged, each event at the sequence position + ecart; without ecart, a hole: positions below others that are published, which a transaction still open may fill. Above the last range nothing is published; a position in none, below it, is nobody''s.';

insert into outbox_publication (de, a, ecart)
select min(position), max(position), ecart
from (
    select position, sequence - position as ecart,
           position - row_number() over (partition by sequence - position order by position) as ilot
    from outbox_event where sequence is not null) e
group by ecart, ilot;
-- Nobody writes meanwhile: a hole is kept only for the events it holds.
insert into outbox_publication (de, a)
select t.de, t.a
from (select lag(p.a, 1, 0::bigint) over (order by p.de) + 1 as de, p.de - 1 as a from outbox_publication p) t
where t.de <= t.a
  and (select e.position from outbox_event e where e.position between t.de and t.a
       order by e.position limit 1) is not null;

drop index outbox_event_a_publier_idx;
alter table outbox_event drop column sequence;
comment on table outbox_event is 'Boîte d''envoi. Events written with the change they tell; outbox_publication tells those that JetStream has acknowledged.';

create view outbox_libre as
select p.de, p.a from outbox_publication p where p.ecart is null
union all
select coalesce((select p.a from outbox_publication p order by p.de desc limit 1), 0) + 1, 9223372036854775807;
comment on view outbox_libre is 'Positions non publiées. Ranges of positions where an event is not published: the holes, then all that follows the last range.';

-- Offset 0: range by range, by the key; never all that is published.
create view outbox_attente as
select e.position, e.cree_le
from outbox_libre l
cross join lateral (
    select o.position, o.cree_le from outbox_event o where o.position between l.de and l.a offset 0) e;
comment on view outbox_attente is 'Évènements à publier. Events that wait for the relay.';

create view outbox_publie as
select e.position, e.event_id, e.position + p.ecart as sequence
from outbox_publication p
cross join lateral (
    select o.position, o.event_id from outbox_event o where o.position between p.de and p.a offset 0) e
where p.ecart is not null;
comment on view outbox_publie is 'Évènements publiés. Published events still kept, with their sequence in the stream.';
