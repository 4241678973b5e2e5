-- name: write_plans
-- Plans that are not known yet, and whose they are.
insert into dose_plans (plan_id, person_no)
select row.plan_id, person_no from unnest($1::uuid[], $2::uuid[]) as row (plan_id, person_id) join people using (person_id)
on conflict (plan_id) do update set person_no = excluded.person_no where dose_plans.person_no <> excluded.person_no;

-- name: newest_versions
-- The newest version, if any, of each of the plans $1 and of those of the people $2.
select p.plan_id, p.register_key, people.person_id = any($2::uuid[]) as is_listed, v.version_no,
       coalesce(lower(v.valid), 'epoch') as begins, upper(v.valid) as ends, v.author_no, d.device, v.compartment, v.drug,
       v.strength, v.count, v.kind, v.at_times, v.weekdays, v.every_days, v.anchor, v.from_day, v.until_day,
       v.least_interval_min, v.most_per_day, v.time_critical, v.listed, v.zone
from dose_plans p
join people using (person_no)
left join lateral (
    select * from dose_plan_versions one where one.plan_id = p.plan_id order by one.valid desc limit 1
) v on true
left join devices d using (device_no)
where p.plan_id = any($1::uuid[]) or people.person_id = any($2::uuid[]);

-- name: end_version
-- Ends a version.
update dose_plan_versions set valid = tstzrange(lower(valid), $2::timestamptz) where version_no = $1 and upper_inf(valid);

-- name: begin_version
-- Begins a version.
insert into dose_plan_versions (plan_id, valid, device_no, compartment, drug, strength, count, kind, at_times, weekdays,
                                every_days, anchor, from_day, until_day, least_interval_min, most_per_day, time_critical,
                                listed, zone, author_no, reason, made_at)
select $1, tstzrange($2::timestamptz, null), device_no, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
       $19, $20, $21, $22
from devices where device = $3;

-- name: register_keys
-- What the register file says of plans.
update dose_plans p set register_key = said.key
from unnest($1::uuid[], $2::text[]) as said (plan_id, key)
where p.plan_id = said.plan_id and p.register_key is distinct from said.key;
