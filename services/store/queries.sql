-- name: look_and_lock
-- First the generation, whether this is the cluster that was noted, and how far some partitions have come, in their
-- order; then a row for each cursor of the batch, locked in device order. One question, as each costs a round trip.
select generation, cluster is null or cluster = current_cluster() as known,
       array(select coalesce(s.position, 0)
             from unnest($1::integer[]) with ordinality as asked (partition_no, place)
             left join store_positions s using (partition_no) order by asked.place) as positions,
       null::integer as device_no, null::bigint as epoch, null::int8multirange as settled, null::bigint as floor,
       null::jsonb as rejected, null::bigint as last_received_at
from platform
union all
select null, null, null, locked.*
from (
    select c.device_no, c.epoch, c.settled, c.floor, c.rejected,
           (extract(epoch from c.last_received_at) * 1000)::bigint as last_received_at
    from device_cursor c
    join unnest($2::integer[], $3::bigint[]) as needed (device_no, epoch) using (device_no, epoch)
    order by c.device_no, c.epoch
    for update of c
) as locked;

-- name: create_cursors
-- A device or an epoch heard for the first time. A device registered after the backup that was restored is unknown.
insert into device_cursor (device_no, epoch, settled, floor, rejected, last_received_at)
select device_no, epoch, '{}', 0, '[]', to_timestamp(0)
from unnest($1::integer[], $2::bigint[]) as needed (device_no, epoch)
where exists (select from devices d where d.device_no = needed.device_no)
order by device_no, epoch
on conflict do nothing;

-- name: save_progress
-- What is settled now (the cursors are locked), and how far store has come in the log: with the rows of the same
-- transaction, in one question.
with cursors as (
    update device_cursor c
    set settled = c.settled + saved.settled::int8multirange,
        floor = greatest(c.floor, saved.floor),
        rejected = saved.rejected::jsonb,
        last_received_at = greatest(c.last_received_at, 'epoch'::timestamptz + saved.last_received_at * interval '1 ms')
    from unnest($1::integer[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::bigint[])
        as saved (device_no, epoch, settled, floor, rejected, last_received_at)
    where c.device_no = saved.device_no and c.epoch = saved.epoch
), positions as (
    insert into store_positions (partition_no, position)
    select partition_no, position from unnest($7::integer[], $8::bigint[]) as passed (partition_no, position)
    order by partition_no
    on conflict (partition_no) do update set position = greatest(store_positions.position, excluded.position)
)
insert into watermarks (consumer, instance, partition_no, received_at)
select 'store', instance, partition_no, 'epoch'::timestamptz + received_at * interval '1 ms'
from unnest($9::text[], $10::integer[], $11::bigint[]) as passed (instance, partition_no, received_at)
on conflict (consumer, instance, partition_no)
do update set received_at = greatest(watermarks.received_at, excluded.received_at);

-- name: insert_readings
-- Only where COPY met a duplicate that the cursors had let through.
insert into readings (person_no, vital, observed_at, device_no, epoch, seq, item, value, flags, received_at)
select person_no, vital, 'epoch'::timestamptz + observed_at * interval '1 ms', device_no, epoch, seq, item, value, flags,
       'epoch'::timestamptz + received_at * interval '1 ms'
from unnest($1::integer[], $2::smallint[], $3::bigint[], $4::integer[], $5::bigint[], $6::bigint[], $7::smallint[],
            $8::double precision[], $9::integer[], $10::bigint[])
    as row (person_no, vital, observed_at, device_no, epoch, seq, item, value, flags, received_at)
on conflict do nothing;

-- name: insert_events
-- Events, as readings.
insert into device_events
    (device_no, epoch, seq, item, home_no, person_no, kind, observed_at, received_at, flags, details)
select device_no, epoch, seq, item, home_no, person_no, kind, 'epoch'::timestamptz + observed_at * interval '1 ms',
       'epoch'::timestamptz + received_at * interval '1 ms', flags, details::jsonb
from unnest($1::integer[], $2::bigint[], $3::bigint[], $4::smallint[], $5::integer[], $6::integer[], $7::smallint[],
            $8::bigint[], $9::bigint[], $10::integer[], $11::text[])
    as row (device_no, epoch, seq, item, home_no, person_no, kind, observed_at, received_at, flags, details)
on conflict do nothing;

-- name: insert_set_aside
-- What was refused, with its bytes.
insert into set_aside (device_no, epoch, seq, item, device, reason, field, raw, received_at)
select device_no, epoch, seq, item, device, reason, field, raw, 'epoch'::timestamptz + received_at * interval '1 ms'
from unnest($1::integer[], $2::bigint[], $3::bigint[], $4::smallint[], $5::text[], $6::text[], $7::text[], $8::bytea[],
            $9::bigint[])
    as row (device_no, epoch, seq, item, device, reason, field, raw, received_at)
on conflict do nothing;

-- name: note_conflicts
-- A conflict on the key of readings is a bug that must be seen.
insert into key_conflicts (found_at, conflicts) values ($1, $2);
