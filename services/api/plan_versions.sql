-- Versions of dose plans, as a register file and doctors write them: both by these statements.

-- name: lock_plans
-- Whoever changes a plan waits for whoever else does.
select plan_id from dose_plans where plan_id = any ($1::uuid[]) order by plan_id for update;

-- name: standing_plans
-- The plans $1 with whose they are, what the file last said, and the version that is open; nulls where none is.
select plan.plan_id, person_id, register_key, v.version_no, device, compartment, drug, strength, count, kind, at_times,
       weekdays, every_days, anchor, from_day, until_day, least_interval_min, most_per_day, time_critical, listed, zone,
       author_no
from dose_plans plan join people using (person_no)
left join dose_plan_versions v on v.plan_id = plan.plan_id and upper_inf(v.valid)
left join devices using (device_no)
where plan.plan_id = any ($1::uuid[]);

-- name: write_plan_ids
-- Plans that are not known yet.
insert into dose_plans (plan_id, person_no)
select plan_id, person_no from unnest($1::uuid[], $2::uuid[]) as row (plan_id, person_id) join people using (person_id)
on conflict (plan_id) do nothing;

-- name: close_versions
-- Ends at $2 the versions of the plans $1 that are open. One that has only just begun lasts a millisecond.
update dose_plan_versions
set valid = tstzrange(lower(valid), greatest($2::timestamptz, lower(valid) + interval '1 millisecond'))
where plan_id = any ($1::uuid[]) and upper_inf(valid);

-- name: open_versions
-- Begins versions at $18, or where the one before ends; by the doctor $19, or by a file.
insert into dose_plan_versions (
    plan_id, valid, device_no, compartment, drug, strength, count, kind, at_times, weekdays, every_days, anchor,
    from_day, until_day, least_interval_min, most_per_day, time_critical, listed, zone, author_no, reason, made_at
)
select row.plan_id,
       tstzrange(greatest($18::timestamptz, (
           select max(upper(before.valid)) from dose_plan_versions before where before.plan_id = row.plan_id
       )), null),
       device_no, row.compartment, drug, strength, count, kind, at_times::time[], weekdays::smallint[], every_days,
       anchor, from_day, until_day, least_interval_min, most_per_day, time_critical, listed, time_zone, $19, $20,
       $18::timestamptz
from unnest(
    $1::uuid[], $2::text[], $3::smallint[], $4::text[], $5::text[], $6::double precision[], $7::text[], $8::text[],
    $9::text[], $10::smallint[], $11::date[], $12::date[], $13::date[], $14::integer[], $15::smallint[], $16::boolean[],
    $17::boolean[]
) as row (
    plan_id, device, compartment, drug, strength, count, kind, at_times, weekdays, every_days, anchor, from_day,
    until_day, least_interval_min, most_per_day, time_critical, listed
)
join dose_plans plan using (plan_id) join people using (person_no) join homes using (home_no) join devices using (device);

-- name: rezone_plans
-- What is open follows the zone of its person's home, for the homes $3; the plan says the same as before.
with moved as (
    update dose_plan_versions v
    set valid = tstzrange(lower(v.valid), greatest($1::timestamptz, lower(v.valid) + interval '1 millisecond'))
    from dose_plans plan join people using (person_no) join homes using (home_no)
    where v.plan_id = plan.plan_id and upper_inf(v.valid) and v.zone <> homes.time_zone
      and homes.home_id = any ($3::uuid[])
    returning v.*, homes.time_zone as new_zone
)
insert into dose_plan_versions (
    plan_id, valid, device_no, compartment, drug, strength, count, kind, at_times, weekdays, every_days, anchor,
    from_day, until_day, least_interval_min, most_per_day, time_critical, listed, zone, author_no, reason, made_at
)
select plan_id, tstzrange(upper(valid), null), device_no, compartment, drug, strength, count, kind, at_times, weekdays,
       every_days, anchor, from_day, until_day, least_interval_min, most_per_day, time_critical, listed, new_zone, null,
       $2, $1::timestamptz
from moved;

-- name: write_register_keys
-- What the file says of each plan.
update dose_plans set register_key = row.register_key
from unnest($1::uuid[], $2::text[]) as row (plan_id, register_key)
where dose_plans.plan_id = row.plan_id and dose_plans.register_key is distinct from row.register_key;

-- name: end_plans
-- Ends at $3 the plans of the listed people that came from a file and are no longer in it. What doctors began stays.
with gone as (
    update dose_plans plan set register_key = null from people
    where plan.person_no = people.person_no and people.person_id = any ($1::uuid[]) and not plan_id = any ($2::uuid[])
      and (register_key is not null or (
          select author_no from dose_plan_versions first where first.plan_id = plan.plan_id order by version_no limit 1
      ) is null)
    returning plan_id
)
update dose_plan_versions v
set valid = tstzrange(lower(valid), greatest($3::timestamptz, lower(valid) + interval '1 millisecond'))
from gone where v.plan_id = gone.plan_id and upper_inf(valid);

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
where plan_id = any ($1::uuid[]) and doctor_no is null order by plan_id, stock_no desc;

-- name: count_stock
-- How much is in the house at $5, counted or brought.
insert into plan_stock (plan_id, count, what, doctor_no, at)
select plan_id, count, $3, $4, $5 from unnest($1::uuid[], $2::double precision[]) as row (plan_id, count);
