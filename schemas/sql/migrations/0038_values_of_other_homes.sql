-- Caregivers' newest values leave out what was measured in another home, as the console does.

-- The newest reading of each wanted vital at the time named, with its age. Flags 2, 32 and 128
-- are JUMPED, POOR_QUALITY and OTHER_HOME: a time, a value or a home that nobody should rely on. Flag 8 is CLIPPED: the
-- sensor can't measure that far, and the value is a bound.
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
          and readings.flags & 162 = 0
        order by readings.observed_at desc limit 1
    ) latest
    join devices on devices.device_no = latest.device_no
    where seen.vitals is null or asked.vital = any (seen.vitals);
end;
