-- name: plans
-- The plan $1, or all of the person $2: whose each is, its newest version, since when it has ended, its pause at $3.
select plan.plan_id, plan.person_no, person_id, people.display_name, people.home_no, label, homes.time_zone, v.version_no,
       device, compartment, drug, strength, v.count, kind, at_times, weekdays, every_days, anchor, from_day, until_day,
       least_interval_min, most_per_day, time_critical, listed, v.zone, coalesce(lower(v.valid), 'epoch') as valid_from,
       upper(v.valid) as ended_at, v.author_no, v.reason, v.made_at, author.display_name as author, pause.pause_no,
       pause.why, lower(pause.valid) as paused_at, upper(pause.valid) as paused_until,
       pause.doctor_no as paused_by_no, pauser.display_name as paused_by, stock.stock_no, stock.count as stock,
       stock.what as stock_what, stock.at as stock_at
from dose_plans plan join people using (person_no) join homes using (home_no)
join lateral (
    select * from dose_plan_versions one where one.plan_id = plan.plan_id order by version_no desc limit 1
) v on true
join devices using (device_no)
left join doctors author on author.doctor_no = v.author_no
left join lateral (
    select * from plan_pauses one
    where one.plan_id = plan.plan_id and one.valid @> $3::timestamptz and one.ended_by is null limit 1
) pause on true
left join doctors pauser on pauser.doctor_no = pause.doctor_no
left join lateral (
    select * from plan_stock one where one.plan_id = plan.plan_id order by stock_no desc limit 1
) stock on true
where plan.plan_id = $1::uuid or plan.person_no = $2::integer
order by upper_inf(v.valid) desc, lower(drug), plan.plan_id;

-- name: versions_of_plan
-- All versions of a plan, the newest first: what each said, from when to when, and who wrote it why.
select v.version_no, device, compartment, drug, strength, count, kind, at_times, weekdays, every_days, anchor, from_day,
       until_day, least_interval_min, most_per_day, time_critical, listed, zone,
       coalesce(lower(valid), 'epoch') as valid_from, upper(valid) as valid_to, reason, made_at, display_name as author
from dose_plan_versions v join devices using (device_no) left join doctors on doctors.doctor_no = v.author_no
where plan_id = $1 order by version_no desc limit 200;

-- name: pauses_of_plan
-- When a plan was paused, by whom and why, and who resumed it.
select pause_no, lower(valid) as paused_at, upper(valid) as paused_until, why, made_at,
       doctors.display_name as paused_by, ender.display_name as resumed_by
from plan_pauses join doctors using (doctor_no) left join doctors ender on ender.doctor_no = plan_pauses.ended_by
where plan_id = $1 order by pause_no desc limit 50;

-- name: stock_of_plan
-- What was counted and brought, the newest first.
select stock_no, at, count, what, display_name as author, author_no
from plan_stock left join doctors on doctors.doctor_no = plan_stock.author_no where plan_id = $1 order by stock_no desc limit 20;

-- name: pause_plan
-- No dose is due from $2 (or the end of an earlier pause) until $3; null: until somebody resumes the plan.
insert into plan_pauses (plan_id, valid, doctor_no, why, made_at)
select $1, tstzrange(greatest($2::timestamptz, max(upper(valid))), $3::timestamptz), $4, $5, $2::timestamptz
from plan_pauses where plan_id = $1;

-- name: resume_plan
-- Ends at $2 the pauses of a plan that go on. One that has only just begun lasts a millisecond.
update plan_pauses set
    valid = tstzrange(lower(valid), greatest($2::timestamptz, lower(valid) + interval '1 millisecond')), ended_by = $3
where plan_id = $1 and (upper_inf(valid) or upper(valid) > $2::timestamptz);

-- name: dispensers_of
-- Where doses of a person can be: the dispensers, by the types $2, of which a slot is theirs.
select distinct device from bindings join devices using (device_no)
where person_no = $1 and upper_inf(valid) and removed_at is null and device_type = any ($2::text[]) order by device;

-- name: calendar
-- The doses of a person that are due from $2 and before $3.
select dose_id, plan_id, version_no, drug, strength, count, zone, due_at, opens_at, closes_at, missed_at, state, reminders,
       settled_at, unknown_since, time_critical, listed, as_needed
from doses_in_force where person_no = $1 and due_at >= $2 and due_at < $3
order by due_at, drug, dose_id limit 500;

-- name: evidence_of
-- The events that doses rest on, in order, with when they came.
select dose_id, role, e.kind, e.observed_at, received_at
from dose_evidence e left join device_events using (device_no, epoch, seq, item)
where dose_id = any ($1::uuid[]) order by e.observed_at, e.seq, e.item;

-- name: pauses_between
-- The pauses of a person's plans that reach into a time.
select plan_id, lower(valid) as paused_at, upper(valid) as paused_until, why, display_name as paused_by
from plan_pauses join dose_plans using (plan_id) join doctors using (doctor_no)
where person_no = $1 and valid && tstzrange($2::timestamptz, $3::timestamptz);
