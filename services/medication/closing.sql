-- name: doses_to_notice
-- Scheduled doses that were not taken when their window closed before $1, as far as their dispenser has been heard since;
-- of which nobody has been notified.
select d.dose_id, d.person_no, d.home_no, d.drug, d.strength, d.due_at, d.closes_at, d.zone
from doses_in_force d
where d.state in ('pending', 'reminded', 'missed') and not d.as_needed
  and d.judged_from <= $1 and d.closes_at < $1 and d.closes_at > $1::timestamptz - make_interval(mins => $2)
  and not exists (select from caregiver_notices n where n.dose_id = d.dose_id)
order by d.closes_at, d.dose_id;

-- name: add_notice
-- Once a dose, whoever writes it.
insert into caregiver_notices (person_no, home_no, dose_id, at, message, facts, caregiver_text, made_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (dose_id, message) do nothing;

-- name: zones_with_doses
-- Where days have to be closed.
select distinct h.time_zone from homes h join people p using (home_no) join dose_plans d using (person_no);

-- name: people_to_close
-- People of a zone with scheduled doses due between $3 and $4, whose day $2 has not been closed.
select p.person_no, p.home_no
from people p join homes h using (home_no)
where h.time_zone = $1
  and exists (
    select from doses_in_force d
    where d.person_no = p.person_no and d.due_at >= $3 and d.due_at < $4 and not d.as_needed
  )
  and not exists (select from adherence_days a where a.person_no = p.person_no and a.day >= $2)
order by p.person_no
limit $5;

-- name: counted_doses
-- The scheduled doses of people due between $2 and $3, with the local day, and whether they were taken in their window.
select d.person_no, d.plan_id, d.due_at, (d.due_at at time zone $4)::date as day, d.state, d.state in ('taken', 'double')
       and exists (
           select from dose_evidence e
           where e.dose_id = d.dose_id and e.role = 'decided' and e.observed_at between d.opens_at and d.closes_at
       ) as in_window
from doses_in_force d
where d.person_no = any($1::integer[]) and d.due_at >= $2 and d.due_at < $3
  and not d.as_needed
order by d.due_at;

-- name: newest_episodes
-- Of each person, the newest episode of a rule, and whether it goes on.
select person_no, max(episode) as episode,
       not coalesce(bool_or(level = 0) filter (where episode = newest), false) as is_open
from (
    select person_no, episode, level, max(episode) over (partition by person_no) as newest
    from findings where person_no = any($1::integer[]) and rule = $2
) f
group by person_no;

-- name: close_day
-- What a person's last seven days came to when the day was closed.
insert into adherence_days (person_no, day, taken, known, closed_at) values ($1, $2, $3, $4, $5)
on conflict (person_no, day) do nothing;

-- name: supplies_to_forecast
-- Plans with stock whose forecast was made from something else than what holds now, or is hours old.
with stocked as (
    select plan_id, max(stock_no) as stock_no, coalesce(max(at) filter (where what = 'counted'), min(at)) as since
    from plan_stock group by plan_id
), keyed as (
    select s.plan_id, concat_ws('|', s.stock_no, used.takings, made.newest, made.ended, paused.newest, paused.ended) as state_key
    from stocked s
    cross join lateral (
        select count(*) as takings from doses_in_force d join dose_evidence e using (dose_id)
        where d.plan_id = s.plan_id and e.role in ('decided', 'double') and e.observed_at > s.since
    ) used
    cross join lateral (
        select max(version_no) as newest, count(upper(valid)) as ended from dose_plan_versions v where v.plan_id = s.plan_id
    ) made
    cross join lateral (
        select max(pause_no) as newest, count(ended_by) as ended from plan_pauses p where p.plan_id = s.plan_id
    ) paused
)
select keyed.plan_id, keyed.state_key
from keyed left join plan_supplies kept using (plan_id)
where kept.plan_id is null or kept.state_key <> keyed.state_key or kept.as_of < $1::timestamptz - interval '6 hours'
order by keyed.plan_id
limit $2;

-- name: stock_of_plans
-- All that was written down of the stock of plans.
select plan_id, stock_no, at, count, what from plan_stock where plan_id = any($1::uuid[]) order by stock_no;

-- name: used_of_plans
-- What each lift took out of the stock of plans.
select d.plan_id, e.observed_at as at, d.count
from doses_in_force d join dose_evidence e using (dose_id)
where d.plan_id = any($1::uuid[]) and e.role in ('decided', 'double')
  and e.observed_at >= (select min(at) from plan_stock s where s.plan_id = d.plan_id)
order by e.observed_at;

-- name: newest_stock
-- How much has been written down of stock.
select coalesce(max(stock_no), 0) from plan_stock;

-- name: keep_supply
-- The newest forecast replaces the one before.
insert into plan_supplies (plan_id, as_of, left_count, runs_out_at, refill_due, state_key) values ($1, $2, $3, $4, $5, $6)
on conflict (plan_id) do update set
    as_of = excluded.as_of, left_count = excluded.left_count, runs_out_at = excluded.runs_out_at,
    refill_due = excluded.refill_due, state_key = excluded.state_key;

-- name: versions_to_come
-- Versions of plans with times that hold now or later, in order of time.
select plan_id, lower(valid) as starts, upper(valid) as ends, at_times, weekdays, every_days, anchor, from_day, until_day,
       zone, count
from dose_plan_versions
where plan_id = any($1::uuid[]) and kind = 'scheduled' and (upper(valid) is null or upper(valid) > $2)
order by lower(valid);

-- name: pauses_to_come
-- Pauses of plans that go on, or are to come.
select plan_id, lower(valid) as starts, upper(valid) as ends
from plan_pauses where plan_id = any($1::uuid[]) and (upper(valid) is null or upper(valid) > $2)
order by lower(valid);

-- name: taken_ahead
-- Doses of plans that are due later, and have been taken early: of these nothing more is needed.
select plan_id, due_at from doses_in_force
where plan_id = any($1::uuid[]) and due_at >= $2 and state in ('early', 'taken', 'double') and not as_needed;
