-- name: plans
-- Every plan with the zone of its person's home.
select d.plan_id, d.person_no, p.home_no, d.device_no, d.compartment, d.at_times, d.time_critical, h.time_zone as zone,
       lower(d.valid) as valid_from, upper(d.valid) as valid_to, d.planned_key
from dose_plans d join people p using (person_no) join homes h using (home_no)
where upper(d.valid) is null or upper(d.valid) > $1::timestamptz - interval '5 days';

-- name: save_dose
-- A planned dose. One that is still to come follows its plan; what has begun is never rewritten.
insert into doses (dose_id, plan_id, person_no, home_no, device_no, compartment, local_date, time_index,
                        early_after, opens_at, due_at, closes_at, missed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict (plan_id, local_date, time_index) do update set
    device_no = excluded.device_no, compartment = excluded.compartment, early_after = excluded.early_after,
    opens_at = excluded.opens_at, due_at = excluded.due_at, closes_at = excluded.closes_at,
    missed_at = excluded.missed_at
where doses.state = 'pending' and doses.due_at > $14;

-- name: drop_doses
-- Doses to come that their plan no longer holds.
delete from doses s using dose_plans p
where p.plan_id = $1 and s.plan_id = p.plan_id and s.state = 'pending' and s.due_at > $2
  and (not p.valid @> s.due_at or s.time_index >= $3);

-- name: planned
-- What the planner has planned.
update dose_plans set planned_key = $2 where plan_id = $1;

-- name: try_turn
-- One ledger at a time: episodes are numbered in order. Not while doses are being planned.
select pg_try_advisory_xact_lock(7001044);

-- name: take_turn
-- The planner waits for its turn.
select pg_advisory_xact_lock(7001044);

-- name: watermark
-- Read before the events: everything received up to it is visible then.
select received_at from watermark;

-- name: doses_to_settle
-- Open doses that have a reminder due, a moment passed by the watermark, or an event that is counted nowhere yet.
select s.dose_id, s.person_no, s.home_no, s.device_no, s.compartment, p.drug, h.time_zone as zone, p.time_critical,
       s.early_after, s.opens_at, s.due_at, s.closes_at, s.missed_at, s.state, s.reminders, s.episode
from doses s join dose_plans p using (plan_id) join homes h on h.home_no = s.home_no
where s.state in ('pending', 'reminded') and s.early_after <= $1
  and (
    -- Arrays begin at 1; beyond the last reminder this is null, so no row.
    s.due_at + ($3::interval[])[s.reminders + 1] <= $1
    or s.missed_at < $2
    or (p.time_critical and s.episode is null and s.closes_at < $2)
    or exists (
        select from device_events e
        where e.device_no = s.device_no and e.kind = any($4::smallint[]) and e.observed_at > s.early_after
          and e.observed_at <= s.missed_at and e.person_no = s.person_no and e.flags & $5 = 0
          and (e.details ->> 'compartment')::float8::integer = s.compartment
          and not exists (
            select from dose_evidence c
            where (c.device_no, c.epoch, c.seq, c.item) = (e.device_no, e.epoch, e.seq, e.item)
        )
    )
)
order by s.due_at, s.dose_id;

-- name: events
-- Takings that reach an open dose and are counted nowhere yet.
select distinct e.device_no, e.epoch, e.seq, e.item, e.person_no, e.kind,
       (e.details ->> 'compartment')::float8::integer as compartment, e.observed_at
from unnest($1::integer[], $2::timestamptz[], $3::timestamptz[]) as reach (device_no, early_after, missed_at)
join device_events e on e.device_no = reach.device_no and e.kind = any($4::smallint[])
    and e.observed_at > reach.early_after and e.observed_at <= reach.missed_at
where e.flags & $5 = 0
  and not exists (
    select from dose_evidence c
    where (c.device_no, c.epoch, c.seq, c.item) = (e.device_no, e.epoch, e.seq, e.item)
);

-- name: decided
-- What took doses of these devices lately.
select device_no, compartment, observed_at, dose_id
from dose_evidence where decisive and device_no = any($1::integer[]) and observed_at > $2
order by observed_at;

-- name: next_episodes
-- The first free episode number of each person.
select person_no, coalesce(max(episode), 0) + 1 as episode
from unnest($1::integer[]) as wanted (person_no) left join findings f using (person_no)
where f.rule = $2 or f.rule is null
group by person_no;

-- name: settle_dose
-- What became of a dose.
update doses set state = $2, reminders = $3, episode = $4, settled_at = $5 where dose_id = $1;

-- name: count_event
-- An event counts once.
insert into dose_evidence (device_no, epoch, seq, item, dose_id, compartment, kind, observed_at, decisive)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: add_command
-- To be published soon. The same reminder is written once.
insert into commands (command_id, device_no, kind, details, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)
on conflict (command_id) do nothing;

-- name: add_finding
-- In the transaction that settles the dose, so an id can't be there already.
insert into findings (finding_id, person_no, home_no, rule, rule_version, episode, level, severity, observed_at,
                      raised_at, evidence, doctor_text, caregiver_text, rationale, unverified, message, facts,
                      end_reason)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18);

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
