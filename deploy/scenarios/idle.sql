-- name: watermark
-- How far store and score have come, in ms; null before the first marker.
select (extract(epoch from received_at) * 1000)::bigint from watermark;

-- name: activity
-- Numbers that change whenever the platform does something.
select (select count(*) from findings) as findings,
       (select count(*) from findings where claimed_at is null) as unclaimed,
       (select coalesce(max(audit_no), 0) from alert_audit) as trail,
       (select count(*) from notifications where state = 'sent') as sent,
       (select count(*) from notifications where state = 'sending' or (state = 'pending' and attempts = 0)) as waiting,
       (select count(*) from notifications where state = 'held' and held_until <= $1) as held_due,
       (select count(*) from morning_looks where next_at <= $1) as mornings_due,
       (select count(*) from morning_list_sendings where state = 'sent') as lists_sent,
       (select count(*) from morning_list_sendings
        where state = 'sending' or (state = 'pending' and attempts = 0)) as lists_waiting,
       (select count(*) from escalation_steps s join alerts a using (alert_id)
        where s.state = 'pending' and a.state = 'open' and a.ended_at is null and s.due_at <= $1) as repeats_due,
       (select count(*) from fall_checks
        where ended_at is null and (decided_at is null and due_at <= $1 or lying_at <= $1)) as falls_due,
       (select count(*) from sos_calls where ended_at is null and due_at <= $1) as calls_due,
       (select count(*) from look_backs where due_at < $1) as looks_due,
       (select coalesce(sum(reminders + said + doubles) + count(*) filter (where settled_at is not null)
                         + count(judged_from) + count(unknown_since), 0) from doses) as doses,
       (select count(*) from commands where sent_at is null and expires_at > $1) as unsent,
       (select count(*) from commands where sent_at is not null) as commands;

-- name: commands_sent
-- How many commands went to each device.
select d.device, count(*) as sent from commands c join devices d using (device_no)
where c.sent_at is not null group by d.device;

-- name: next_due
-- The first moment after $1, in ms, at which something falls due. $2 and $3: device types, and how long each may be
-- silent. $4: for how long a device may measure nothing of somebody, until that says something.
select (extract(epoch from min(due_at)) * 1000)::bigint
from (
    select unnest(array[case when decided_at is null then due_at end, lying_at]) from fall_checks where ended_at is null
    union all
    select due_at from sos_calls where ended_at is null
    union all
    select due_at + interval '1 millisecond' from look_backs
    union all
    select held_until from notifications where state = 'held'
    union all
    select next_at from morning_looks
    union all
    select s.due_at from escalation_steps s join alerts a using (alert_id)
    where s.state = 'pending' and a.state = 'open' and a.ended_at is null
    union all
    -- A window, or a cut-off, is over once the watermark has passed it; a dispenser that was away has some minutes more.
    select unnest(array[opens_at, due_at, due_at + interval '15 minutes', due_at + interval '30 minutes', closes_at,
                        closes_at + interval '1 millisecond', missed_at, missed_at + interval '1 millisecond', judged_from,
                        judged_from + interval '1 millisecond'])
    from doses_in_force where settled_at is null
    union all
    select greatest(d.registered_at, (select max(c.last_received_at) from device_cursor c
                                      where c.device_no = d.device_no)) + kind.silent_after + interval '1 millisecond'
    from devices d join unnest($2::text[], $3::interval[]) as kind (device_type, silent_after) using (device_type)
    union all
    -- Then its devices that stay silent are silent by themselves.
    select max(ended_at) + interval '15 minutes 1 millisecond' from silences where device_no is null group by home_no
    union all
    select newest.received_at + gap + interval '1 millisecond'
    from (select max(received_at) as received_at from readings group by person_no, vital, device_no) newest
    cross join unnest($4::interval[]) as gap
    union all
    -- The local day of those with plans ends, and how they kept to them is judged.
    select ((($1::timestamptz at time zone h.time_zone)::date + 1)::timestamp at time zone h.time_zone)
    from homes h where exists (select from people p join dose_plans using (person_no) where p.home_no = h.home_no)
    union all
    -- The quarter hour at which NEWS2 looks at the newest reading is over by time, and then the hour without one.
    select date_bin('15 minutes', observed_at + interval '15 minutes' - interval '1 microsecond', '2000-01-01 00:00+00')
           + (received_at - observed_at) + gap + interval '1 millisecond'
    from (select max(observed_at) as observed_at, max(received_at) as received_at from readings group by person_no) newest
    cross join unnest(array[interval '15 minutes', interval '60 minutes']) as gap
) as known (due_at)
where due_at > $1;
