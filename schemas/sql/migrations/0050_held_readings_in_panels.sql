-- Caregivers' newest values and curves leave out readings that are held (flag 262144, HELD): nobody knows whose they are.
-- With 2, 32 and 128 (JUMPED, POOR_QUALITY, OTHER_HOME) that makes 262306. Otherwise as before.
create or replace function caregiver_latest_vitals(person uuid, wanted smallint[], at_time timestamptz)
returns table (
    vital smallint, value double precision, observed_at timestamptz, age_s bigint, device_type text,
    clipped boolean
)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    with seen as materialized (
        select scope.person_no, scope.valid, scope.vitals
        from caregiver_scope scope where scope.person_id = person
    )
    select asked.vital, latest.value, latest.observed_at,
           greatest(0, extract(epoch from at_time - latest.observed_at))::bigint,
           devices.device_type, latest.flags & 8 <> 0
    from seen
    cross join unnest(wanted) as asked (vital)
    cross join lateral (
        select readings.value, readings.observed_at, readings.device_no,
               readings.flags
        from readings
        where readings.person_no = seen.person_no
          and readings.vital = asked.vital
          and readings.observed_at <= at_time
          and readings.observed_at <@ seen.valid
          and readings.flags & 262306 = 0
        order by readings.observed_at desc limit 1
    ) latest
    join devices on devices.device_no = latest.device_no
    where seen.vitals is null or asked.vital = any (seen.vitals);
end;

create or replace function caregiver_series(
    person uuid, wanted smallint, since timestamptz, until timestamptz, bucket_s integer
)
returns table (
    bucket_at timestamptz, lowest double precision, mean double precision,
    highest double precision, total double precision, readings bigint, doubtful bigint
)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    with seen as materialized (
        select scope.person_no, greatest(since, lower(scope.valid)) as first_at,
               least(until, upper(scope.valid)) as end_at,
               make_interval(
                   secs => greatest(60, bucket_s, ceil(extract(epoch from until - since) / 2000))
               ) as step
        from caregiver_scope scope
        where scope.person_id = person
          and (scope.vitals is null or wanted = any (scope.vitals))
    )
    select kept.bucket, min(kept.reliable), avg(kept.reliable), max(kept.reliable),
           sum(kept.reliable), count(kept.reliable), count(*) - count(kept.reliable)
    from (
        select date_bin(
                   seen.step, readings.observed_at, timestamptz '2000-01-01 00:00:00+00'
               ) as bucket,
               case
                   when readings.flags & 262306 <> 0 then null
                   when readings.flags & 8 = 0 then readings.value
                   else least(greatest(readings.value, 40), 400)
               end as reliable
        from seen
        join readings
          on readings.person_no = seen.person_no
         and readings.vital = wanted
         and readings.flags & 65536 = 0
         and readings.observed_at >= since and readings.observed_at < until
         and readings.observed_at >= seen.first_at and readings.observed_at < seen.end_at
    ) kept
    group by kept.bucket
    order by kept.bucket;
end;
