-- name: doses_since
-- The scheduled doses of a person that were due from a local day $3 of their own zones on and before $2, with what kept
-- each of them in its window.
select d.plan_id, d.due_at, (d.due_at at time zone d.zone)::date as day, d.state, d.drug, d.strength, d.state in ('taken', 'double')
       and exists (
           select from dose_evidence e
           where e.dose_id = d.dose_id and e.role = 'decided' and e.observed_at between d.opens_at and d.closes_at
       ) as in_window
from doses_in_force d
where d.person_no = $1 and d.due_at < $2 and d.due_at >= ($3::date)::timestamp at time zone 'UTC' - interval '1 day'
  and (d.due_at at time zone d.zone)::date >= $3 and not d.as_needed
order by d.due_at;

-- name: supplies_of_person
-- Plans in force of a person whose stock somebody has counted, with the newest forecast; none right after the first count.
select p.plan_id, v.drug, v.strength, v.count, v.zone, s.left_count, s.as_of, s.runs_out_at, s.refill_due
from dose_plans p
join dose_plan_versions v on v.plan_id = p.plan_id and v.valid @> $2::timestamptz
left join plan_supplies s on s.plan_id = p.plan_id
where p.person_no = $1 and exists (select from plan_stock k where k.plan_id = p.plan_id)
order by s.runs_out_at nulls last, v.drug, p.plan_id;
