-- Homes with a person, a dispenser, a doctor who is notified by e-mail, and one pending row of each kind that has a due
-- time. $1 how many, $2 now, $3 to $4 between which they fall due, evenly. All platform time.
with place as (
    select n, $3::timestamptz + ($4::timestamptz - $3::timestamptz) * n / $1::integer as due_at from generate_series(1, $1::integer) n
), home as (
    insert into homes (home_id, label, time_zone)
    select gen_random_uuid(), 'timers ' || n, 'UTC' from place returning home_no, substr(label, 8)::integer as n
), person as (
    insert into people (person_id, home_no, display_name, born_on)
    select gen_random_uuid(), home_no, 'Person ' || n, '1940-01-01' from home returning person_no, home_no
), device as (
    insert into devices (device, device_type, home_no, shard, registered_at)
    select 'timers-' || n || '-pills', 'pill_dispenser', home_no, 0, $2 from home returning device_no, home_no
), doctor as (
    insert into doctors (email, display_name) select 'timers-' || n || '@example.org', 'Dr ' || n from home
    returning doctor_no, email, substr(display_name, 4)::integer as n
), address as (
    insert into contact_addresses (doctor_no, channel, address) select doctor_no, 'email', email from doctor
), care as (
    insert into care_relations (doctor_no, person_no, valid)
    select doctor_no, person_no, tstzrange('2020-01-01', null) from doctor join home using (n) join person using (home_no)
), waiting as (
    select n, due_at, home_no, person_no, device_no from place join home using (n) join person using (home_no)
    join device using (home_no)
), alert as (
    insert into alerts (alert_id, home_no, person_no, rule, concern, severity, level, active_severity, active_level, state,
                        episode, active_episodes, first_at, opened_at, condition_at, doctor_text, caregiver_text, rationale)
    select gen_random_uuid(), home_no, person_no, 'spo2', 'spo2', 3, 2, 3, 2, 'open', 1, '{1}', $2, $2, $2, 'Low.', 'Low.', 'Ours.'
    from waiting returning alert_id, person_no
), notified as (
    insert into escalation_steps (alert_id, step, repeat, due_at, state, reason)
    select alert_id, 1, 0, $2, 'done', 'first' from alert
), step as (
    insert into escalation_steps (alert_id, step, repeat, due_at, state)
    select alert_id, 2, 1, due_at, 'pending' from alert join waiting using (person_no)
), fall as (
    insert into fall_checks (home_no, person_no, episode, device_no, epoch, seq, item, observed_at, due_at)
    select home_no, person_no, 1, device_no, 1, 0, 0, due_at - interval '1 minute', due_at from waiting
), call as (
    insert into sos_calls (home_no, person_no, episode, device_no, epoch, seq, item, observed_at, due_at)
    select home_no, person_no, 1, device_no, 1, 1, 0, due_at - interval '10 minutes', due_at from waiting
), plan as (
    insert into dose_plans (plan_id, person_no) select gen_random_uuid(), person_no from waiting
    returning plan_id, person_no
), heard as (
    -- A dispenser that was not heard since would leave its dose unknown.
    insert into device_cursor (device_no, epoch, settled, floor, rejected, last_received_at)
    select device_no, 1, '{}', 0, '{}', due_at from waiting
    returning device_no
), version as (
    insert into dose_plan_versions (plan_id, valid, device_no, compartment, drug, at_times, zone, made_at, planned_through)
    select plan_id, '[2020-01-01,)', device_no, 0, 'Drug', '{08:00}', 'UTC', '2020-01-01', 'infinity'
    from plan join waiting using (person_no)
    returning version_no, plan_id
)
insert into doses (dose_id, plan_id, version_no, person_no, home_no, device_no, compartment, drug, zone, local_date,
                   early_after, opens_at, due_at, closes_at, missed_at, state, reminders, heard_at, judged_from)
select gen_random_uuid(), plan_id, version_no, person_no, home_no, device_no, 0, 'Drug', 'UTC', '2026-01-01',
       due_at - interval '12 hours', due_at - interval '8 hours', due_at - interval '6 hours', due_at - interval '4 hours',
       due_at, 'reminded', 3, due_at - interval '4 hours', due_at - interval '4 hours'
from plan join version using (plan_id) join waiting using (person_no);
