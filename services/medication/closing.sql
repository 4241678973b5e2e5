-- Queries for what follows once doses are settled: a caregiver's notices, the end of each local day, what is left.

-- name: doses_to_notice
-- Scheduled doses that the ledger has left open, or missed, at the end of a window that closed before $1, unnoticed yet.
select d.dose_id, d.person_no, d.drug, d.strength, d.due_at, d.closes_at, d.zone
from doses d
where d.state in ('pending', 'reminded', 'missed') and not d.as_needed and d.superseded_by is null
  and d.closes_at < $1 and d.closes_at > $1::timestamptz - make_interval(hours => $2)
  and not exists (select from caregiver_notices n where n.dose_id = d.dose_id)
order by d.closes_at, d.dose_id;

-- name: add_notice
-- Once a dose, whoever writes it.
insert into caregiver_notices (person_no, dose_id, at, message, facts, caregiver_text) values ($1, $2, $3, $4, $5, $6)
on conflict (dose_id) do nothing;

-- name: zones_with_doses
-- Where days have to be closed.
select distinct h.time_zone from homes h where exists (select from doses d where d.home_no = h.home_no);

-- name: people_to_close
-- People of a zone with scheduled doses due between $3 and $4, whose day $2 has not been closed.
select p.person_no, p.home_no
from people p join homes h using (home_no)
where h.time_zone = $1
  and exists (
    select from doses d
    where d.person_no = p.person_no and d.due_at >= $3 and d.due_at < $4 and not d.as_needed and d.superseded_by is null
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
from doses d
where d.person_no = any($1::integer[]) and d.due_at >= $2 and d.due_at < $3
  and not d.as_needed and d.superseded_by is null
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
