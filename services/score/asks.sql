-- name: watermark
-- How far store and score have come; null when that is not known.
select received_at from watermark;

-- name: device_that_asks
-- The device by which a person can be asked: the one that measured, $3, if it is one of $5, else the first of $6 that is.
-- Only their own: what somebody says to another one would be another person's word.
select d.device_no, d.device_type, b.slot
from bindings b join devices d using (device_no)
where b.person_no = $1 and d.home_no = $2 and b.valid @> $4::timestamptz and d.removed_at is null
  and d.device_type = any ($5::text[]) and (d.device_no = $3 or d.device_type = any ($6::text[]))
order by (d.device_no = $3) desc, array_position($6::text[], d.device_type), d.device_no
limit 1;

-- name: add_ask
-- What somebody is asked, once; nothing where they were asked the same within $14. $15: a device can ask.
insert into asks (ask_id, home_no, person_no, kind, vital, device_no, epoch, seq, item, observed_at, asked_at, due_at,
                  open_until, outcome, settled_at)
select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::timestamptz, $12, $13,
       case when $15 then null else 'nobody' end, case when $15 then null else $11::timestamptz end
where not exists (
    select from asks a
    where a.person_no = $3 and a.kind = $4 and a.vital = $5 and a.ask_id <> $1
      and a.asked_at > $11::timestamptz - $14::interval and a.asked_at <= $11::timestamptz
)
on conflict do nothing returning true;

-- name: send_ask
-- The command by which a device asks, and that it is this ask's.
with sent as (
    insert into commands (command_id, device_no, kind, details, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)
    on conflict do nothing
)
update asks set command_id = $1 where ask_id = $1;

-- name: open_asks
-- Asks that have no outcome yet, with what may be their answer. $1: kind of the events that answer, $2: flags of what
-- is not scored.
select a.ask_id, a.kind, a.open_until, again.measured_at, said.answers
from asks a
cross join lateral (
    select min(r.observed_at) as measured_at from readings r
    where r.person_no = a.person_no and r.vital = a.vital and r.observed_at > a.observed_at
      and r.observed_at <= a.open_until and r.flags & $2 = 0
) again
cross join lateral (
    select coalesce(jsonb_agg(jsonb_build_array((extract(epoch from e.observed_at) * 1000)::bigint, e.details)
                              order by e.observed_at), '[]') as answers
    from device_events e
    where a.kind in ('symptoms', 'who_was_measured') and e.person_no = a.person_no and e.home_no = a.home_no and e.kind = $1
      and e.observed_at >= a.observed_at and e.observed_at <= a.open_until and e.flags & $2 = 0
      -- Whoever says yes answers what they were asked last, and nothing before it.
      and (a.kind <> 'who_was_measured' or not exists (
          select from asks later
          where later.person_no = a.person_no and later.kind = a.kind and later.asked_at <= e.observed_at
            and (later.asked_at, later.ask_id) > (a.asked_at, a.ask_id) and later.outcome is distinct from 'nobody'))
) said
where a.outcome is null
order by a.open_until limit 200
for update of a skip locked;

-- name: settle_ask
-- What came of it.
update asks set outcome = $2, answered_at = $3, settled_at = $4 where ask_id = $1;
