-- name: add_held
-- A doubted reading, once. What was scored at once needs nothing done to it until somebody decides.
insert into held_readings (held_id, measurement_id, home_no, person_no, device_no, epoch, seq, item, vital, value,
                           observed_at, received_at, reason, unit, meant, fits_person_no, times_better, is_held, applied)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
        case when $18 then null else 'open' end)
on conflict do nothing returning true;

-- name: held_to_apply
-- Doubted readings whose state the stored reading does not show yet, newest first: store may not have written some.
select * from held_readings where applied is distinct from state
order by received_at desc limit 200 for update skip locked;

-- name: flag_reading
-- Sets the flags $9 of a stored reading, and takes away $8; nothing where store has not written it yet.
update readings set flags = (flags & ~$8::integer) | $9::integer
where person_no = $1 and vital = $2 and observed_at = $3 and device_no = $4 and epoch = $5 and seq = $6 and item = $7
returning true;

-- name: move_reading
-- Gives a stored reading to person $10, with the flags $9 and without $8: a look back finds it among theirs.
with gone as (
    delete from readings
    where person_no = $1 and vital = $2 and observed_at = $3 and device_no = $4 and epoch = $5 and seq = $6 and item = $7
    returning vital, observed_at, device_no, epoch, seq, item, value, flags, received_at
)
insert into readings (person_no, vital, observed_at, device_no, epoch, seq, item, value, flags, received_at)
select $10, vital, observed_at, device_no, epoch, seq, item, value, (flags & ~$8::integer) | $9::integer, received_at
from gone on conflict do nothing
returning true;

-- name: write_down_move
-- Who said that a reading is whose, and why. The slot is the one that the device took the person for.
insert into assignments (assigned_at, recorded_at, device_no, slot, person_no, observed_from, observed_until, readings, events,
                         assigned_by, reason)
select h.decided_at, $2, h.device_no,
       coalesce((select b.slot from bindings b where b.device_no = h.device_no and b.person_no = h.person_no
                   and b.valid @> h.observed_at limit 1), 1),
       h.moved_to, h.observed_at, h.observed_at + interval '1 millisecond', 1, 0, d.display_name,
       'not the reading of the person for whom the device took it'
from held_readings h join doctors d on d.doctor_no = h.decided_by where h.held_id = $1;

-- name: held_is_applied
-- The stored reading shows it.
update held_readings set applied = state where held_id = $1;

-- name: say_whose
-- What the person has answered at $3 to the ask $1: $2, that the measurement was theirs, or that it was not.
update held_readings h set is_mine = $2, said_at = $3,
    state = case when $2 then 'kept' else 'open' end, decided_at = case when $2 then $3::timestamptz end
from asks a, held_readings asked
where a.ask_id = $1 and asked.person_no = a.person_no and asked.device_no = a.device_no and asked.vital = a.vital
  and asked.observed_at = a.observed_at and h.measurement_id = asked.measurement_id and h.state = 'open';
