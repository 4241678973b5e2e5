-- name: lock
-- One assignment at a time.
select pg_advisory_xact_lock(7001068);

-- name: device
-- A device, its type and its home.
select device_no, device_type, home_no from devices where device = $1;

-- name: person
-- A person and their home.
select person_no, home_no from people where person_id = $1;

-- name: nobodys
-- What a device sent that nobody was bound for, observed from $2 to $3.
select device_no, epoch, seq, item, raw, received_at, observed_at, flags from rejected
where device_no = $1 and reason = 'unattributed' and raw <> ''
  and observed_at >= $2 and observed_at < $3
order by device_no, epoch, seq, item
for update;

-- name: move_readings
-- To the person, as store would have written them.
insert into readings (person_no, vital, observed_at, device_no, epoch, seq, item, value, flags, received_at)
select $1, vital, observed_at, $2, epoch, seq, item, value, flags, received_at
from unnest($3::smallint[], $4::timestamptz[], $5::bigint[], $6::bigint[], $7::smallint[], $8::double precision[],
            $9::integer[], $10::timestamptz[])
    as row (vital, observed_at, epoch, seq, item, value, flags, received_at)
on conflict do nothing;

-- name: move_events
-- Events, as readings.
insert into device_events
    (device_no, epoch, seq, item, home_no, person_no, kind, observed_at, received_at, flags, details)
select $2, epoch, seq, item, $3, $1, kind, observed_at, received_at, flags, details::jsonb
from unnest($4::bigint[], $5::bigint[], $6::smallint[], $7::smallint[], $8::timestamptz[], $9::timestamptz[],
            $10::integer[], $11::text[])
    as row (epoch, seq, item, kind, observed_at, received_at, flags, details)
on conflict do nothing;

-- name: drop_moved
-- They are somebody's now.
delete from rejected s using unnest($2::bigint[], $3::bigint[], $4::smallint[]) as moved (epoch, seq, item)
where s.device_no = $1 and s.epoch = moved.epoch and s.seq = moved.seq and s.item = moved.item;

-- name: write_down
-- Who said that these are whose, and why.
insert into assignments (assigned_at, recorded_at, device_no, slot, person_no, observed_from, observed_until, readings, events,
                         assigned_by, reason)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);
