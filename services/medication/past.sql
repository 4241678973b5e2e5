-- name: plan_from
-- What was never planned is planned from $1 on, where it was in force by then.
update dose_plan_versions set planned_through = $1
where kind = 'scheduled' and planned_through is null and lower(valid) < $1;

-- name: versions_of_past
-- Versions with times that are in force.
select v.version_no, v.plan_id, d.person_no, p.home_no, v.device_no, v.compartment, v.drug, v.strength, v.count,
       v.time_critical, v.listed, v.zone, v.at_times, v.weekdays, v.every_days, v.anchor, v.from_day, v.until_day,
       coalesce(lower(v.valid), 'epoch') as valid_from, upper(v.valid) as valid_to, v.planned_through
from dose_plan_versions v join dose_plans d using (plan_id) join people p using (person_no)
where v.kind = 'scheduled'
order by v.version_no;

-- name: fix_doses
-- They are not judged again by what was received until $2.
update doses set fixed_at = $2 where dose_id = any ($1::uuid[]) and fixed_at is null;
