-- name: outcomes_by_rule
-- How often alerts about people in a doctor's care began to wait from $3 on and before $4, and what came of it: by rule,
-- and in all (rule null) of those about people and of those about devices.
select opening.rule, opening.technical, count(*) as openings, count(opening.acknowledged_at) as acknowledged,
       percentile_cont(0.5) within group (
           order by extract(epoch from opening.acknowledged_at - opening.opened_at)::double precision
       ) as median_s,
       count(*) filter (where opening.verdict = 'real') as said_real,
       count(*) filter (where opening.verdict = 'false') as said_false,
       count(*) filter (where opening.verdict = 'unclear') as said_unclear
from alert_openings($3, $4) opening
where opening.person_no in (select person_no from people_in_care($1, $2))
   or (opening.person_no = 0 and opening.home_no in (select home_no from people_in_care($1, $2)))
group by grouping sets ((opening.technical, opening.rule), (opening.technical))
order by opening.technical, opening.rule nulls last;

-- name: outcomes_by_doctor
-- The same about people and not about devices, for each doctor who shares people with doctor $1 (themselves too): all that
-- began to wait of those people, and of it what this doctor took on.
with mine as materialized (select person_no, home_no from people_in_care($1, $2)),
cares as materialized (
    select care.doctor_no, mine.person_no, mine.home_no
    from care_relations care join mine on mine.person_no = care.person_no where care.valid @> $2::timestamptz
    union
    select care.doctor_no, 0, mine.home_no
    from care_relations care join mine on mine.person_no = care.person_no where care.valid @> $2::timestamptz
)
select doctors.doctor_no, doctors.display_name, count(*) as openings,
       count(*) filter (where opening.acknowledged_by = cares.doctor_no) as acknowledged,
       percentile_cont(0.5) within group (
           order by extract(epoch from opening.acknowledged_at - opening.opened_at)::double precision
       ) filter (where opening.acknowledged_by = cares.doctor_no) as median_s,
       count(*) filter (where opening.acknowledged_by = cares.doctor_no and opening.verdict = 'real') as said_real,
       count(*) filter (where opening.acknowledged_by = cares.doctor_no and opening.verdict = 'false') as said_false,
       count(*) filter (where opening.acknowledged_by = cares.doctor_no and opening.verdict = 'unclear') as said_unclear
from alert_openings($3, $4) opening
join cares on cares.person_no = opening.person_no and (opening.person_no <> 0 or cares.home_no = opening.home_no)
join doctors on doctors.doctor_no = cares.doctor_no
where not opening.technical
group by doctors.doctor_no, doctors.display_name
order by doctors.doctor_no <> $1, doctors.display_name, doctors.doctor_no;
