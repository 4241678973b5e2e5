-- Caregivers' panels show a value that its sensor can't measure as a bound.

-- A column more needs a new function; whoever asked the old one by its columns may ask this one.
drop function caregiver_latest_vitals(uuid, smallint[], timestamptz);

-- The newest reading of each wanted vital at the time named, with its age. Flags 2 and 32 are
-- JUMPED and POOR_QUALITY: a time or a value that nobody should rely on. Flag 8 is CLIPPED: the
-- sensor can't measure that far, and the value is a bound.
create function caregiver_latest_vitals(person uuid, wanted smallint[], at_time timestamptz)
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
          and readings.flags & 34 = 0
        order by readings.observed_at desc limit 1
    ) latest
    join devices on devices.device_no = latest.device_no
    where seen.vitals is null or asked.vital = any (seen.vitals);
end;

-- One row a bucket that holds readings: the lowest, mean, highest and sum of the reliable ones, and
-- how many of either kind; a bucket of doubtful readings alone has no value. Never finer than a
-- minute, never more than 2,000 buckets. A bound (flag 8, which glucose alone has) counts as the
-- bound itself: 40 or 400 mg/dL.
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
                   when readings.flags & 34 <> 0 then null
                   when readings.flags & 8 = 0 then readings.value
                   else least(greatest(readings.value, 40), 400)
               end as reliable
        from seen
        join readings
          on readings.person_no = seen.person_no
         and readings.vital = wanted
         and readings.observed_at >= since and readings.observed_at < until
         and readings.observed_at >= seen.first_at and readings.observed_at < seen.end_at
    ) kept
    group by kept.bucket
    order by kept.bucket;
end;

revoke all on function caregiver_latest_vitals(uuid, smallint[], timestamptz) from public;
grant execute on function caregiver_latest_vitals(uuid, smallint[], timestamptz) to hearthbeat_caregiver;
alter function caregiver_latest_vitals(uuid, smallint[], timestamptz) owner to hearthbeat_panels;
