-- What a caregiver's panels ask about people and vitals. Bodies are parsed here, once, so no setting of a viewer's
-- session changes what they mean; a person outside the grants is no row, never an error.
create function caregiver_people()
returns table (person_id uuid, label text)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    select scope.person_id, scope.display_name from caregiver_scope scope order by scope.display_name, scope.person_id;
end;

-- The newest reading of each wanted vital at the time named, with its age. Flags 2 and 32 are JUMPED and POOR_QUALITY:
-- a time or a value that nobody should rely on.
create function caregiver_latest_vitals(person uuid, wanted smallint[], at_time timestamptz)
returns table (vital smallint, value double precision, observed_at timestamptz, age_s bigint, device_type text)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    select asked.vital, latest.value, latest.observed_at,
           greatest(0, extract(epoch from at_time - latest.observed_at))::bigint, devices.device_type
    from caregiver_scope scope
    cross join unnest(wanted) as asked (vital)
    cross join lateral (
        select readings.value, readings.observed_at, readings.device_no
        from readings
        where readings.person_no = scope.person_no
          and readings.vital = asked.vital
          and readings.observed_at <= at_time
          and readings.observed_at <@ scope.valid
          and readings.flags & 34 = 0
        order by readings.observed_at desc limit 1
    ) latest
    join devices on devices.device_no = latest.device_no
    where scope.person_id = person
      and (scope.vitals is null or asked.vital = any (scope.vitals));
end;

-- One row a bucket that holds readings: the lowest, mean, highest and sum of the reliable ones, and how many of either
-- kind; a bucket of doubtful readings alone has no value. Never finer than a minute, never more than 2,000 buckets.
create function caregiver_series(person uuid, wanted smallint, since timestamptz, until timestamptz, bucket_s integer)
returns table (bucket_at timestamptz, lowest double precision, mean double precision, highest double precision,
               total double precision, readings bigint, doubtful bigint)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    select date_bin(size.step, kept.observed_at, timestamptz '2000-01-01 00:00:00+00') as bucket,
           min(kept.value) filter (where kept.flags & 34 = 0),
           avg(kept.value) filter (where kept.flags & 34 = 0),
           max(kept.value) filter (where kept.flags & 34 = 0),
           sum(kept.value) filter (where kept.flags & 34 = 0),
           count(*) filter (where kept.flags & 34 = 0),
           count(*) filter (where kept.flags & 34 <> 0)
    from caregiver_scope scope
    cross join (
        select make_interval(secs => greatest(60, bucket_s, ceil(extract(epoch from until - since) / 2000))) as step
    ) size
    join readings kept
      on kept.person_no = scope.person_no
     and kept.vital = wanted
     and kept.observed_at >= since and kept.observed_at < until
     and kept.observed_at <@ scope.valid
    where scope.person_id = person
      and (scope.vitals is null or wanted = any (scope.vitals))
    group by bucket
    order by bucket;
end;

revoke all on function caregiver_people(), caregiver_latest_vitals(uuid, smallint[], timestamptz),
    caregiver_series(uuid, smallint, timestamptz, timestamptz, integer) from public;
grant execute on function caregiver_people(), caregiver_latest_vitals(uuid, smallint[], timestamptz),
    caregiver_series(uuid, smallint, timestamptz, timestamptz, integer) to hearthbeat_caregiver;
alter function caregiver_people() owner to hearthbeat_panels;
alter function caregiver_latest_vitals(uuid, smallint[], timestamptz) owner to hearthbeat_panels;
alter function caregiver_series(uuid, smallint, timestamptz, timestamptz, integer) owner to hearthbeat_panels;
