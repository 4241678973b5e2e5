-- name: create_topic
-- A topic begins empty.
insert into bus_topics (topic, next_offset, retention_h) values ($1, 0, $2)
on conflict (topic) do update set retention_h = excluded.retention_h;

-- name: create_offset
-- A group begins at the start of the log.
insert into bus_offsets (topic, consumer_group, next_offset) values ($1, $2, 0) on conflict do nothing;

-- name: append
-- Updating the topic's row locks it until commit: so offsets become visible in their order, and no
-- reader steps over one that is still to be committed.
with place as (
    update bus_topics set next_offset = next_offset + cardinality($2::bytea[]) where topic = $1
    returning next_offset - cardinality($2::bytea[]) as first_offset
), written as (
    insert into bus_log (topic, log_offset, key, value, appended_at)
    select $1, place.first_offset + record.place - 1, record.key, record.value, $4
    from place, unnest($2::bytea[], $3::bytea[]) with ordinality as record (key, value, place)
    returning 1
)
select count(*) from written;

-- name: read
-- The records from an offset on.
select log_offset, value from bus_log where topic = $1 and log_offset >= $2 order by log_offset limit $3;

-- name: held
-- The first offset that is still there, and the next to be given out.
select t.next_offset, coalesce((select min(l.log_offset) from bus_log l where l.topic = t.topic), t.next_offset)
       as first_offset
from bus_topics t where t.topic = $1;

-- name: position
-- Where a group goes on.
select next_offset from bus_offsets where topic = $1 and consumer_group = $2;

-- name: place
-- Where a group stands, and the end of its log.
select o.next_offset as position, t.next_offset as "end"
from bus_offsets o join bus_topics t using (topic) where topic = $1 and o.consumer_group = $2;

-- name: commit
-- Saves where a group goes on.
update bus_offsets set next_offset = $3 where topic = $1 and consumer_group = $2;

-- name: drop_old
-- Retention: forgets what is older, at a moment, than its topic keeps it.
delete from bus_log as l using bus_topics as t
where l.topic = t.topic and l.appended_at < $1::timestamptz - make_interval(hours => t.retention_h);
