-- name: look_and_lock
-- First the generation, whether this is the cluster that was noted, and how far some partitions have come, in their
-- order; then a row for each cursor of the batch, locked in device order. One question, as each costs a round trip.
-- The platform's row comes first; its columns and those of the cursors are null in each other's
-- rows.
select generation, cluster is null or cluster = current_cluster() as known,
       array(select coalesce(s.position, 0)
             from unnest($1::integer[]) with ordinality as asked (partition_no, place)
             left join store_positions s using (partition_no) order by asked.place) as positions,
       null::integer as device_no, null::bigint as epoch, null::int8multirange as settled, null::bigint as boundary,
       null::integer as put_away, null::int8multirange as low, null::integer as counted, null::boolean as refused,
       null::bigint as floor, null::jsonb as rejected, null::bigint as last_received_at
from platform
union all
select null, null, null, locked.*
-- A subquery, since ``for update`` is not allowed beside ``union``.
from (
    select c.device_no, c.epoch, c.settled, c.boundary, c.put_away,
           case when c.put_away > 0 then (
               -- From the range that holds the floor, or lies next below it.
               select range_agg(int8range(low.first_seq, low.end_seq))
               from (
                   select r.first_seq, r.end_seq from settled_ranges r
                   where r.device_no = c.device_no and r.epoch = c.epoch and r.first_seq >= coalesce((
                       select max(s.first_seq) from settled_ranges s
                       where s.device_no = c.device_no and s.epoch = c.epoch and s.first_seq <= c.floor
                   ), 0)
                   order by r.first_seq limit $4
               ) low
           ) end as low,
           -- Counting costs; with fewer than $5 the cap is out of reach, so the rough number does.
           case when c.put_away < $5 then c.put_away else (
               select count(*) from settled_ranges r
               where r.device_no = c.device_no and r.epoch = c.epoch and r.first_seq >= c.floor
           )::integer end as counted,
           c.refused, c.floor, c.rejected,
           (extract(epoch from c.last_received_at) * 1000)::bigint as last_received_at
    from device_cursor c
    join unnest($2::integer[], $3::bigint[]) as needed (device_no, epoch) using (device_no, epoch)
    order by c.device_no, c.epoch
    for update of c
) as locked;

-- name: begin_epochs
-- A device or an epoch heard for the first time, in the order of $2. Says which of them begin now, are begun by somebody
-- else at this moment, or may not begin: the device has $5 epochs already of which something was heard since $4. An
-- emergency ($3) is no matter of number. A device registered after the backup that was restored is unknown: no row.
with asked as (
    select needed.device_no, needed.epoch, needed.emergency or $5 >= (
        select count(*) from device_cursor live where live.device_no = needed.device_no and live.last_received_at > $4
    -- A batch may hold several new epochs of a device: each counts those before it, emergencies
    -- first.
    ) + row_number() over (partition by needed.device_no order by needed.emergency desc, needed.place) as allowed
    from unnest($1::integer[], $2::bigint[], $3::boolean[]) with ordinality as needed (device_no, epoch, emergency, place)
    where exists (select from devices d where d.device_no = needed.device_no)
), begun as (
    insert into device_cursor (device_no, epoch, settled, floor, rejected, last_received_at, refused)
    select device_no, epoch, '{}', 0, '[]', to_timestamp(0), exists (
        select from rejected s where s.device_no = asked.device_no and s.epoch = asked.epoch
    )
    from asked where allowed order by device_no, epoch
    on conflict do nothing returning device_no, epoch, refused
)
select asked.device_no, asked.epoch, asked.allowed, begun.refused
from asked left join begun using (device_no, epoch);

-- name: near_ranges
-- Of what is put away, what holds or touches some numbers of cursors that are locked.
select distinct asked.device_no, asked.epoch, near.first_seq, near.end_seq
from unnest($1::integer[], $2::bigint[], $3::bigint[]) as asked (device_no, epoch, seq)
cross join lateral (
    -- The two that begin last at or below seq + 1: its neighbours to the left and to the right.
    select r.first_seq, r.end_seq from settled_ranges r
    where r.device_no = asked.device_no and r.epoch = asked.epoch and r.first_seq <= asked.seq + 1
    order by r.first_seq desc limit 2
) near
where near.end_seq >= asked.seq
order by asked.device_no, asked.epoch, near.first_seq;

-- name: drop_ranges
-- They have become parts of others.
delete from settled_ranges r using unnest($1::integer[], $2::bigint[], $3::bigint[]) as gone (device_no, epoch, first_seq)
where r.device_no = gone.device_no and r.epoch = gone.epoch and r.first_seq = gone.first_seq;

-- name: put_ranges_away
-- What a cursor's row no longer holds.
insert into settled_ranges (device_no, epoch, first_seq, end_seq)
select * from unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[]);

-- name: save_progress
-- What is settled now (the cursors are locked), and how far store has come in the log: with the rows of the same
-- transaction, in one question.
-- Statements of a ``with`` that write run to their end, though nothing reads from them.
with cursors as (
    update device_cursor c
    set settled = saved.settled::int8multirange,
        boundary = saved.boundary,
        put_away = saved.put_away,
        refused = saved.refused,
        floor = greatest(c.floor, saved.floor),
        rejected = saved.rejected::jsonb,
        last_received_at = greatest(c.last_received_at, 'epoch'::timestamptz + saved.last_received_at * interval '1 ms')
    from unnest($1::integer[], $2::bigint[], $3::text[], $4::bigint[], $5::integer[], $6::boolean[], $7::bigint[],
                $8::text[], $9::bigint[])
        as saved (device_no, epoch, settled, boundary, put_away, refused, floor, rejected, last_received_at)
    where c.device_no = saved.device_no and c.epoch = saved.epoch
), positions as (
    insert into store_positions (partition_no, position)
    select partition_no, position from unnest($10::integer[], $11::bigint[]) as passed (partition_no, position)
    order by partition_no
    on conflict (partition_no) do update set position = greatest(store_positions.position, excluded.position)
)
insert into watermarks (consumer, instance, partition_no, received_at)
select 'store', instance, partition_no, 'epoch'::timestamptz + received_at * interval '1 ms'
from unnest($12::text[], $13::integer[], $14::bigint[]) as passed (instance, partition_no, received_at)
on conflict (consumer, instance, partition_no)
do update set received_at = greatest(watermarks.received_at, excluded.received_at);

-- name: stored_before
-- The places of readings that are stored already, of another uplink of the same device.
select asked.place::integer
from unnest($1::integer[], $2::integer[], $3::smallint[], $4::bigint[], $5::double precision[], $6::bigint[],
            $7::bigint[]) with ordinality
    as asked (device_no, person_no, vital, observed_at, value, epoch, seq, place)
where exists (
    select from readings r
    where r.person_no = asked.person_no and r.vital = asked.vital
      and r.observed_at = 'epoch'::timestamptz + asked.observed_at * interval '1 ms'
      and r.device_no = asked.device_no and r.value = asked.value and (r.epoch, r.seq) <> (asked.epoch, asked.seq)
);

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
-- Events, as readings; flagged with $12 where the same device has said the same of the same moment in another uplink.
with said as (
    select row.*, 'epoch'::timestamptz + row.observed_ms * interval '1 ms' as observed_at
    from unnest($1::integer[], $2::bigint[], $3::bigint[], $4::smallint[], $5::integer[], $6::integer[], $7::smallint[],
                $8::bigint[], $9::bigint[], $10::integer[], $11::text[]) with ordinality
        as row (device_no, epoch, seq, item, home_no, person_no, kind, observed_ms, received_ms, flags, details, place)
)
insert into device_events
    (device_no, epoch, seq, item, home_no, person_no, kind, observed_at, received_at, flags, details)
select device_no, epoch, seq, item, home_no, person_no, kind, observed_at,
       'epoch'::timestamptz + received_ms * interval '1 ms',
       case when exists (
           select from device_events e
           where e.device_no = said.device_no and e.kind = said.kind and e.observed_at = said.observed_at
             and (e.epoch, e.seq) <> (said.epoch, said.seq) and e.details = said.details::jsonb
       ) or exists (
           select from said before
           where before.device_no = said.device_no and before.kind = said.kind and before.observed_at = said.observed_at
             and (before.epoch, before.seq) <> (said.epoch, said.seq) and before.place < said.place
             and before.details::jsonb = said.details::jsonb
       ) then flags | $12::integer else flags end,
       details::jsonb
from said
on conflict do nothing;

-- name: insert_rejected
-- What was refused, with its bytes. How an uplink ends takes the place of a rejection ($12) that left it with its device.
insert into rejected (device_no, epoch, seq, item, device, reason, field, raw, received_at, observed_at, flags)
select device_no, epoch, seq, item, device, reason, field, raw, 'epoch'::timestamptz + received_at * interval '1 ms',
       'epoch'::timestamptz + nullif(observed_at, 0) * interval '1 ms', nullif(flags, -1)
from unnest($1::integer[], $2::bigint[], $3::bigint[], $4::smallint[], $5::text[], $6::text[], $7::text[], $8::bytea[],
            $9::bigint[], $10::bigint[], $11::integer[])
    as row (device_no, epoch, seq, item, device, reason, field, raw, received_at, observed_at, flags)
on conflict (device_no, epoch, seq, item) do update
set reason = excluded.reason, field = excluded.field, raw = excluded.raw, received_at = excluded.received_at,
    observed_at = excluded.observed_at, flags = excluded.flags
where rejected.reason = any ($12::text[]) and not excluded.reason = any ($12::text[]);

-- name: settled_after_all
-- Uplinks that were refused for a time, with reasons $4, and are settled now: the rejection was not how they end.
delete from rejected s using unnest($1::integer[], $2::bigint[], $3::bigint[]) as now_settled (device_no, epoch, seq)
where s.device_no = now_settled.device_no and s.epoch = now_settled.epoch and s.seq = now_settled.seq
  and s.item = -1 and s.reason = any ($4::text[]);

-- name: note_conflicts
-- A conflict on the key of readings is a bug that must be seen.
insert into key_conflicts (found_at, conflicts) values ($1, $2);

-- name: one_at_chores
-- Whether it is ours to clear up, until this transaction ends.
select pg_try_advisory_xact_lock(7001069);

-- name: trim_bytes
-- Of what was rejected since $2, the newest $1 rows of a device and day keep their bytes; $3 others lose them now.
with crowded as (
    select device, date_trunc('day', received_at) as day from rejected
    where raw <> '' and reason <> 'unattributed' and received_at >= $2::timestamptz
    group by 1, 2 having count(*) > $1
), ranked as (
    select s.device_no, s.epoch, s.seq, s.item, row_number() over (
        partition by s.device, date_trunc('day', s.received_at) order by s.received_at desc, s.seq desc, s.item desc
    ) as place
    from rejected s join crowded on s.device = crowded.device and date_trunc('day', s.received_at) = crowded.day
    where s.raw <> '' and s.reason <> 'unattributed' and s.received_at >= $2::timestamptz
), too_many as (
    select * from ranked where place > $1 limit $3
)
update rejected s set raw = '' from too_many old
where (s.device_no, s.epoch, s.seq, s.item) = (old.device_no, old.epoch, old.seq, old.item);

-- name: forget_rejected
-- What was rejected before $1, $2 rows at a time.
delete from rejected s using (
    select device_no, epoch, seq, item from rejected
    where received_at < $1 and reason <> 'unattributed' limit $2
) old
where (s.device_no, s.epoch, s.seq, s.item) = (old.device_no, old.epoch, old.seq, old.item);

-- name: note_word
-- What a device said of itself; older than what is known it says nothing. One registered after the backup that was
-- restored is unknown: no row.
insert into device_status as s (device_no, state, leaving, since, said_at, battery_percent, battery_at, firmware)
select d.device_no, $2, $3, said.at, said.at, $5, case when $5::float8 is not null then said.at end, $6
from devices d, (select 'epoch'::timestamptz + $4::bigint * interval '1 ms' as at) said where d.device_no = $1
on conflict (device_no) do update set
    state = excluded.state, leaving = excluded.leaving,
    since = case when s.state = excluded.state then s.since else excluded.since end,
    said_at = excluded.said_at,
    battery_percent = coalesce(excluded.battery_percent, s.battery_percent),
    battery_at = coalesce(excluded.battery_at, s.battery_at),
    firmware = coalesce(excluded.firmware, s.firmware)
where s.said_at <= excluded.said_at;
