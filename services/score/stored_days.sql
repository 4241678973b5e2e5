-- name: people_to_fill
-- Whose days are counted, and were never looked up in the stored readings.
select d.person_no from score_days d
where not exists (select from score_stored_days s where s.person_no = d.person_no)
order by d.person_no limit $1;

-- name: nothing_to_fill
-- Notes of whom nothing is stored of these vitals between two moments; returns them.
insert into score_stored_days (person_no, state)
select asked.person_no, null from unnest($1::integer[]) as asked (person_no)
where not exists (
    select from readings r
    where r.person_no = asked.person_no and r.vital = any ($2::smallint[]) and r.observed_at >= $3 and r.observed_at < $4
)
on conflict do nothing returning person_no;

-- name: stored_values
-- How often somebody had each value of some vitals, by day (UTC), and in which hours of any of them: a bit an hour.
-- $2, $3: vitals, and how many steps their units have. $6: flags of what does not count, $7: nor of any vital but $8.
-- $9: how long after a day begins it closes; what was received later did not count for it.
select kept.vital, kept.day, kept.step, count(*)::integer as values, bit_or(1 << kept.hour) as hours
from (
    select r.vital, date_bin('1 day', r.observed_at, 'epoch') as day,
           extract(hour from r.observed_at at time zone 'UTC')::integer as hour,
           floor(r.value * asked.steps_a_unit + 0.5)::integer as step, r.received_at
    from unnest($2::smallint[], $3::integer[]) as asked (vital, steps_a_unit)
    join readings r on r.person_no = $1 and r.vital = asked.vital
    where r.observed_at >= $4 and r.observed_at < $5 and r.flags & $6 = 0 and (r.flags & $7 = 0 or r.vital = $8)
) as kept
where kept.received_at < kept.day + $9::interval
group by kept.vital, kept.day, kept.step
order by kept.vital, kept.day, kept.step;

-- name: save_stored_days
-- What was found of somebody; null: nothing.
insert into score_stored_days (person_no, state) values ($1, $2::text::json) on conflict do nothing;

-- name: stored_days_of_people
-- What was found of people, and waits to be put before their days.
select person_no, state from score_stored_days where person_no = any ($1) and state is not null;

-- name: stored_days_are_taken
-- They stand in score_days by now.
update score_stored_days set state = null where person_no = any ($1);

-- name: leave_to_others
-- Nobody who is registered now is looked up: their days of before are counted by somebody else.
insert into score_stored_days (person_no) select person_no from people on conflict do nothing;
