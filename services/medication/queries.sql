-- name: versions_to_plan
-- Versions with times of which doses up to $1 are not written yet; one that ended before $2 is left alone.
select v.version_no, v.plan_id, d.person_no, p.home_no, v.device_no, v.compartment, v.drug, v.strength, v.count,
       v.time_critical, v.listed, v.zone, v.at_times, v.weekdays, v.every_days, v.anchor, v.from_day, v.until_day,
       coalesce(lower(v.valid), 'epoch') as valid_from, upper(v.valid) as valid_to, v.planned_through
from dose_plan_versions v join dose_plans d using (plan_id) join people p using (person_no)
where v.kind = 'scheduled' and (upper(v.valid) is null or upper(v.valid) > $2)
  and lower(v.valid) < $1 and (v.planned_through is null or v.planned_through < least(upper(v.valid), $1))
order by v.version_no;

-- name: ended_versions
-- Versions that ended before what was planned of them.
select version_no, plan_id, upper(valid) as valid_to from dose_plan_versions where planned_through > upper(valid);

-- name: drop_doses
-- What would have been due from the end of a version on, unless it was taken early.
delete from doses where version_no = $1 and due_at >= $2 and settled_at is null;

-- name: taken_early
-- Doses of earlier versions of a plan that are due from $3 on, and when they were taken.
select s.dose_id, e.observed_at as taken_at, s.device_no, s.compartment
from doses s join dose_evidence e on e.dose_id = s.dose_id and e.decisive
where s.plan_id = $1 and s.version_no <> $2 and s.due_at >= $3 and not s.as_needed;

-- name: stand_in
-- A dose that was taken early is that of the new version; where the event is not to be found there, as it was taken.
update doses set
    version_no = $2, local_date = $3, early_after = $4, opens_at = $5, due_at = $6, closes_at = $7, missed_at = $8,
    device_no = $9, compartment = $10, drug = $11, strength = $12, count = $13, time_critical = $14, listed = $15,
    zone = $16, same_due = 0, fixed_at = coalesce($17, fixed_at)
where dose_id = $1;

-- name: save_dose
-- A planned dose, or one that was taken as needed; one that is there already stays as it is.
insert into doses (dose_id, plan_id, version_no, person_no, home_no, device_no, compartment, drug, strength, count, zone,
                   local_date, time_critical, listed, as_needed, early_after, opens_at, due_at, closes_at, missed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
on conflict do nothing;

-- name: planned
-- What the planner has planned; a version that has ended, up to its end.
update dose_plan_versions set planned_through = $2 where version_no = $1;

-- name: look_again
-- The doses of a plan are others than before.
update dose_plans set changed = true where plan_id = $1;

-- name: try_turn
-- One ledger at a time: episodes are numbered in order. Not while doses are being planned.
select pg_try_advisory_xact_lock(7001044);

-- name: take_turn
-- The planner waits for its turn.
select pg_advisory_xact_lock(7001044);

-- name: watermark
-- Read before the events: everything received up to it is visible to the queries after it.
select received_at from watermark;

-- name: doses_to_look_at
-- Open doses that have a reminder due, or a moment passed by the watermark $2, or whose dispenser was heard at last; those
-- of which an uplink is missing, whose dispenser was heard after their window, also once it was waited for, for $5.
select dose_id, plan_id, version_no, person_no, home_no, device_no, compartment, drug, strength, count, zone, time_critical,
       listed, as_needed, early_after, opens_at, due_at, closes_at, missed_at, state, reminders, settled_at, episode, said_last,
       said, doubles, double_episode, double_said, heard_at, judged_from, unknown_since, fixed_at
from doses_in_force s
where s.settled_at is null and s.early_after <= $1 and s.fixed_at is null and s.missed_at > $4
  and (
    -- Arrays begin at 1; beyond the last reminder this is null, so no row.
    s.due_at + ($3::interval[])[s.reminders + 1] <= $1
    or (s.state <> 'unknown' and (s.missed_at < $2 or (s.closes_at < $2 and s.judged_from is null)))
    or (s.state = 'unknown' and (
        s.judged_from <= $2
        or (s.judged_from is null and exists (
            select from device_cursor c
            where c.device_no = s.device_no and c.last_received_at >= s.closes_at
              and (s.heard_at is null or c.last_received_at > s.heard_at 
                   or ($2 >= s.closes_at + $5::interval and $2 < s.missed_at + interval '1 day'))
        ))
    ))
)
order by s.due_at, s.dose_id;

-- name: devices_with_news
-- Devices with dose events that were received since all had been looked at, or with plans that are others than before,
-- and since when their doses are to be counted again. What was observed before $4 counts no more.
select device_no, min(since) as since
from (
    select e.device_no, e.observed_at as since from device_events e
    where e.received_at > (select received_at from dose_events_position) and e.kind = any($1::smallint[])
      and e.flags & $2 = 0 and e.observed_at > $4
    union all
    select s.device_no, $3::timestamptz - interval '2 days' from dose_plans p join doses s using (plan_id)
    where p.changed and s.missed_at > $3::timestamptz - interval '2 days' and s.early_after <= $3
) news
group by device_no;

-- name: doses_of_devices
-- What may be, or was, taken from these devices since.
select dose_id, plan_id, version_no, person_no, home_no, device_no, compartment, drug, strength, count, zone, time_critical,
       listed, as_needed, early_after, opens_at, due_at, closes_at, missed_at, state, reminders, settled_at, episode, said_last,
       said, doubles, double_episode, double_said, heard_at, judged_from, unknown_since, fixed_at
from unnest($1::integer[], $2::timestamptz[]) as asked (device, since)
join doses_in_force s on s.device_no = asked.device and s.missed_at >= asked.since
where s.early_after <= $3
order by s.due_at, s.dose_id;

-- name: needed_of_devices
-- Versions of plans of these devices that are taken as needed.
select v.version_no, v.plan_id, d.person_no, p.home_no, v.device_no, v.compartment, v.drug, v.strength, v.count, v.zone,
       v.listed, make_interval(mins => v.least_interval_min) as least_interval, v.most_per_day,
       greatest(lower(v.valid), v.from_day::timestamp at time zone v.zone) as valid_from,
       least(upper(v.valid), (v.until_day + 1)::timestamp at time zone v.zone) as valid_to
from dose_plan_versions v join dose_plans d using (plan_id) join people p using (person_no)
where v.kind = 'as_needed' and v.device_no = any($1::integer[])
order by v.version_no;

-- name: events_of_devices
-- What these devices have reported of doses since.
select e.device_no, e.epoch, e.seq, e.item, e.person_no, e.kind,
       (e.details ->> 'compartment')::float8::integer as compartment, e.observed_at, e.received_at
from unnest($1::integer[], $2::timestamptz[]) as asked (device, since)
join device_events e on e.device_no = asked.device and e.kind = any($3::smallint[]) and e.observed_at >= asked.since
where e.flags & $4 = 0;

-- name: evidence_of_doses
-- What was counted of these doses.
select dose_id, device_no, epoch, seq, item, role, observed_at from dose_evidence where dose_id = any($1::uuid[]);

-- name: pauses
-- When these plans, and those that are taken as needed from these devices, are paused.
select plan_id, lower(valid) as begins, upper(valid) as ends from plan_pauses
where plan_id = any($1::uuid[])
   or plan_id in (select plan_id from dose_plan_versions where kind = 'as_needed' and device_no = any($2::integer[]));

-- name: heard
-- When each of these devices was heard last, and whether all is here that it sent before, or it keeps it no more; what the
-- broker repeats is not heard.
select distinct on (device_no) device_no, last_received_at as at,
       settled + int8multirange(int8range(0, floor)) = int8multirange(int8range(0, greatest(upper(settled), floor)))
           as is_whole
from device_cursor where device_no = any($1::integer[])
order by device_no, last_received_at desc;

-- name: next_episodes
-- The first free episode number of each person and rule.
select person_no, rule, coalesce(max(episode), 0) + 1 as episode
from findings where person_no = any($1::integer[]) and rule = any($2::text[])
group by person_no, rule;

-- name: settle_dose
-- What became of a dose.
update doses set
    state = $2, reminders = $3, settled_at = $4, episode = $5, said_last = $6, said = $7, doubles = $8, double_episode = $9,
    double_said = $10, heard_at = $11, judged_from = $12, unknown_since = $13
where dose_id = $1;

-- name: remove_doses
-- Takings as needed that are none, by what was reported later; with their evidence.
delete from doses where dose_id = any($1::uuid[]);

-- name: uncount_events
-- The evidence of doses that is written anew.
delete from dose_evidence where dose_id = any($1::uuid[]);

-- name: count_event
-- An event counts once for a dose.
insert into dose_evidence (device_no, epoch, seq, item, dose_id, compartment, kind, observed_at, decisive, role)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict do nothing;

-- name: looked_at
-- Everything received up to then has been looked at.
update dose_events_position set received_at = $1 where received_at < $1;

-- name: plans_looked_at
-- The doses of changed plans were looked at.
update dose_plans set changed = false where changed;

-- name: add_command
-- To be published soon. The same reminder is written once.
insert into commands (command_id, device_no, kind, details, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)
on conflict (command_id) do nothing;

-- name: add_finding
-- In the transaction that settles the dose, so an id can't be there already.
insert into findings (finding_id, person_no, home_no, rule, rule_version, episode, level, severity, observed_at,
                      raised_at, evidence, doctor_text, caregiver_text, rationale, unverified, message, facts,
                      end_reason, concern)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19);

-- name: one_publisher
-- One at a time publishes, so a command goes out once; the others pass.
select pg_try_advisory_xact_lock(7001066);

-- name: unsent_commands
-- What is to be sent to devices, oldest first, while it still matters.
select c.command_id, c.kind, c.details, c.expires_at, d.device, d.shard
from commands c join devices d using (device_no)
where c.sent_at is null and c.expires_at > $1
order by c.created_at
limit $2;

-- name: commands_sent
-- The broker has them.
update commands set sent_at = $2 where command_id = any($1::uuid[]);
