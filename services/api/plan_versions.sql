-- name: one_at_a_time
-- As for a registration: whoever changes plans waits for whoever else does. No row is locked beforehand, since medication
-- changes a version's row first and its plan's second, and so do we.
select pg_advisory_xact_lock(7001065);

-- name: known_plans
-- The plans $1, and all of the people $2: whose each is, what a file last said, its newest version, and whether a file began it.
select plan.plan_id, person_id, register_key, v.version_no, device, compartment, drug, strength, count, kind, at_times,
       weekdays, every_days, anchor, from_day, until_day, least_interval_min, most_per_day, time_critical, listed, zone,
       author_no, coalesce(lower(v.valid), 'epoch') as valid_from, upper(v.valid) as ended_at, (
           select author_no from dose_plan_versions first where first.plan_id = plan.plan_id order by version_no limit 1
       ) is null as of_file
from dose_plans plan join people using (person_no)
left join lateral (
    select * from dose_plan_versions one where one.plan_id = plan.plan_id order by version_no desc limit 1
) v on true
left join devices using (device_no)
where plan.plan_id in (
    select unnest($1::uuid[])
    union select plan_id from dose_plans join people using (person_no) where person_id = any ($2::uuid[])
);

-- name: write_plan_ids
-- Plans that are not known yet.
insert into dose_plans (plan_id, person_no)
select plan_id, person_no from unnest($1::uuid[], $2::uuid[]) as row (plan_id, person_id) join people using (person_id)
on conflict (plan_id) do nothing;

-- name: end_versions
-- Ends the versions $1, each at its moment.
update dose_plan_versions set valid = tstzrange(lower(valid), row.at)
from unnest($1::integer[], $2::timestamptz[]) as row (version_no, at)
where dose_plan_versions.version_no = row.version_no;

-- name: begin_versions
-- Begins versions, each at its moment; written at $20 by the doctor $21, or by a file, for a reason.
insert into dose_plan_versions (
    plan_id, valid, device_no, compartment, zone, drug, strength, count, kind, at_times, weekdays, every_days, anchor,
    from_day, until_day, least_interval_min, most_per_day, time_critical, listed, made_at, author_no, reason
)
select row.plan_id, tstzrange(row.at, null), device_no, row.compartment, row.zone, drug, strength, count, kind,
       at_times::time[], nullif(weekdays::smallint[], '{}'), every_days, anchor, from_day, until_day, least_interval_min, most_per_day,
       time_critical, listed, $20::timestamptz, $21, $22
from unnest(
    $1::uuid[], $2::timestamptz[], $3::text[], $4::smallint[], $5::text[], $6::text[], $7::text[], $8::double precision[],
    $9::text[], $10::text[], $11::text[], $12::smallint[], $13::date[], $14::date[], $15::date[], $16::integer[],
    $17::smallint[], $18::boolean[], $19::boolean[]
) as row (
    plan_id, at, device, compartment, zone, drug, strength, count, kind, at_times, weekdays, every_days, anchor, from_day,
    until_day, least_interval_min, most_per_day, time_critical, listed
)
join devices using (device);

-- name: plans_changed
-- Medication is to look at their doses again.
update dose_plans set changed = true where plan_id = any ($1::uuid[]);

-- name: write_register_keys
-- What the file says of each plan; null: it does not say anything any more.
update dose_plans set register_key = row.register_key
from unnest($1::uuid[], $2::text[]) as row (plan_id, register_key)
where dose_plans.plan_id = row.plan_id and dose_plans.register_key is distinct from row.register_key;

-- name: never_reported
-- Of the devices $1 and people $2 the pairs of which no event could ever be the person's taking: no slot is theirs.
select device, person_id from unnest($1::text[], $2::uuid[]) as wanted (device, person_id)
where not exists (
    select from bindings join devices using (device_no) join people using (person_no)
    where devices.device = wanted.device and people.person_id = wanted.person_id and upper_inf(bindings.valid)
);

-- name: no_dispensers
-- Of the devices $1 those that are there and can't report that a dose was taken, with their types; $2 are those that can.
select device, device_type from devices where device = any ($1::text[]) and device_type <> all ($2::text[]);

-- name: counted_by_file
-- What the file last said is in the house, of each plan.
select distinct on (plan_id) plan_id, count from plan_stock
where plan_id = any ($1::uuid[]) and author_no is null order by plan_id, stock_no desc;

-- name: count_stock
-- How much is in the house at $5, counted or brought.
insert into plan_stock (plan_id, count, what, author_no, at)
select plan_id, count, $3, $4, $5 from unnest($1::uuid[], $2::double precision[]) as row (plan_id, count);
