-- name: write_limits
-- New versions where the newest one that no doctor has set, of the same people and concern, says something else: the first
-- one of them from $11 on, others from $12. So what a doctor sets stays while a file says what it said. Gives how many.
with wanted as (
    select people.person_no, row.*
    from unnest($1::uuid[], $2::boolean[], $3::text[], $4::text[], $5::text[], $6::double precision[],
                $7::double precision[], $8::double precision[], $9::text[], $10::text[])
         as row (person_id, region, condition, concern, levels, off, clear_min, worse_by, source, signed_off_by)
    left join people using (person_id)
)
insert into limits (person_no, region, condition, concern, levels, off, clear_min, worse_by, source, signed_off_by,
                    author, valid_from, written_at)
select wanted.person_no, wanted.region, wanted.condition, wanted.concern, wanted.levels::jsonb, wanted.off,
       wanted.clear_min, wanted.worse_by, wanted.source, wanted.signed_off_by, $13,
       case when latest.valid_from is null then $11::timestamptz
            else greatest($12::timestamptz, latest.valid_from + interval '1 millisecond') end, $14
from wanted
left join lateral (
    select max(valid_from) as valid_from from limits held
    where held.person_no is not distinct from wanted.person_no and held.region = wanted.region
      and held.condition is not distinct from wanted.condition and held.concern = wanted.concern
) latest on true
left join lateral (
    select * from limits held
    where held.person_no is not distinct from wanted.person_no and held.region = wanted.region
      and held.condition is not distinct from wanted.condition and held.concern = wanted.concern
      and held.doctor_no is null
    order by held.valid_from desc limit 1
) newest on true
where newest.limit_no is null or newest.withdrawn
   or (newest.levels, newest.off, newest.clear_min, newest.worse_by, newest.source, newest.signed_off_by)
      is distinct from (wanted.levels::jsonb, wanted.off, wanted.clear_min, wanted.worse_by, wanted.source,
                        wanted.signed_off_by);

-- name: withdraw_limits
-- Ends, from $6 on, the limits of the people $1, and of the region ($2), that a file has said before, and that are not among
-- the wanted ones any more.
insert into limits (person_no, region, condition, concern, levels, off, clear_min, worse_by, withdrawn, source,
                    signed_off_by, author, valid_from, written_at)
select newest.person_no, newest.region, newest.condition, newest.concern, newest.levels, newest.off, newest.clear_min,
       newest.worse_by, true, newest.source, newest.signed_off_by, $7,
       greatest($6::timestamptz, newest.latest + interval '1 millisecond'), $8
from (
    select distinct on (held.person_no, held.region, held.condition, held.concern) held.*, people.person_id,
           (select max(valid_from) from limits l where l.person_no is not distinct from held.person_no
            and l.region = held.region and l.condition is not distinct from held.condition and l.concern = held.concern) as latest
    from limits held left join people using (person_no)
    where (people.person_id = any ($1::uuid[]) or (held.region and $2)) and held.doctor_no is null
    order by held.person_no, held.region, held.condition, held.concern, held.valid_from desc
) newest
where not newest.withdrawn and not exists (
    select from unnest($3::uuid[], $4::text[], $5::text[]) as wanted (person_id, condition, concern)
    where wanted.person_id is not distinct from newest.person_id
      and wanted.condition is not distinct from newest.condition and wanted.concern = newest.concern
);

-- name: drop_unborn_conditions
-- Open conditions of the listed people that are not wanted any more and would only have begun at $4 or later.
delete from person_conditions held using people
where held.person_no = people.person_no and people.person_id = any ($1::uuid[]) and upper_inf(held.valid)
  and lower(held.valid) >= $4
  and (people.person_id, held.condition) not in (select * from unnest($2::uuid[], $3::text[]));

-- name: end_conditions
-- Ends at $4 the conditions of the listed people that are not wanted any more.
update person_conditions held set valid = tstzrange(lower(held.valid), $4::timestamptz) from people
where held.person_no = people.person_no and people.person_id = any ($1::uuid[]) and upper_inf(held.valid)
  and (people.person_id, held.condition) not in (select * from unnest($2::uuid[], $3::text[]));

-- name: begin_conditions
-- Begins at $3 the conditions that are wanted and not in force; never before the end of the last one.
insert into person_conditions (person_no, condition, valid, source, author)
select person_no, wanted.condition,
       tstzrange(greatest($3::timestamptz, (
           select max(upper(ended.valid)) from person_conditions ended
           where ended.person_no = people.person_no and ended.condition = wanted.condition
       )), null), $4, $4
from unnest($1::uuid[], $2::text[]) as wanted (person_id, condition) join people using (person_id)
where not exists (
    select from person_conditions held
    where held.person_no = people.person_no and held.condition = wanted.condition and upper_inf(held.valid)
);
