-- What a caregiver's panels ask: people, vitals, doses, alerts with the sentence for caregivers.

-- Bodies are parsed here, once, so no setting of a viewer's session changes what they mean; a
-- person outside the grants is no row, never an error. The viewer's sight of the person is found
-- once and first (as materialized): else the planner joins the grants last, for every reading and
-- every dose again, and computes the size of a bucket for each reading.
create function caregiver_people()
returns table (person_id uuid, label text)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    select scope.person_id, scope.display_name
    from caregiver_scope scope order by scope.display_name, scope.person_id;
end;

-- The newest reading of each wanted vital at the time named, with its age. Flags 2 and 32 are
-- JUMPED and POOR_QUALITY: a time or a value that nobody should rely on.
create function caregiver_latest_vitals(person uuid, wanted smallint[], at_time timestamptz)
returns table (
    vital smallint, value double precision, observed_at timestamptz, age_s bigint, device_type text
)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    with seen as materialized (
        select scope.person_no, scope.valid, scope.vitals
        from caregiver_scope scope where scope.person_id = person
    )
    select asked.vital, latest.value, latest.observed_at,
           greatest(0, extract(epoch from at_time - latest.observed_at))::bigint,
           devices.device_type
    from seen
    cross join unnest(wanted) as asked (vital)
    cross join lateral (
        select readings.value, readings.observed_at, readings.device_no
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
-- minute, never more than 2,000 buckets.
create function caregiver_series(
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
               case when readings.flags & 34 = 0 then readings.value end as reliable
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

-- The doses of the home's own calendar day that holds at_time, and of the days before it.
create function caregiver_doses(person uuid, at_time timestamptz, days integer)
returns table (
    local_date date, due_at timestamptz, drug text, state text, taken_at timestamptz,
    time_critical boolean
)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    with seen as materialized (
        select scope.person_no, scope.valid, (at_time at time zone homes.time_zone)::date as today
        from caregiver_scope scope join homes on homes.home_no = scope.home_no
        where scope.person_id = person and scope.doses
    )
    select doses.local_date, doses.due_at, plans.drug, doses.state, evidence.observed_at,
           plans.time_critical
    from seen
    cross join (select least(greatest(days, 1), 366) as days) wanted
    join doses
      on doses.person_no = seen.person_no
     and doses.local_date > seen.today - wanted.days
     and doses.local_date <= seen.today
     and doses.due_at <@ seen.valid
    join dose_plans plans on plans.plan_id = doses.plan_id
    left join dose_evidence evidence on evidence.dose_id = doses.dose_id and evidence.decisive
    order by doses.due_at, plans.drug;
end;

-- What waits for the doctor or is being dealt with; an emergency that is nobody's in particular
-- is the whole home's.
create function caregiver_alerts(person uuid)
returns table (
    opened_at timestamptz, rule text, severity smallint, state text, over boolean,
    unverified boolean, caregiver_text text
)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    with seen as materialized (
        select scope.person_no, scope.home_no, scope.valid, scope.rules
        from caregiver_scope scope where scope.person_id = person
    )
    select alerts.opened_at, alerts.rule, alerts.severity, alerts.state,
           alerts.ended_at is not null, alerts.unverified, alerts.caregiver_text
    from seen
    join alerts
      on (alerts.person_no = seen.person_no
          or alerts.person_no = 0 and alerts.home_no = seen.home_no)
     and alerts.state <> 'closed'
     and alerts.opened_at <@ seen.valid
    where seen.rules is null or alerts.rule = any (seen.rules)
    order by alerts.severity desc, alerts.opened_at;
end;

revoke all on function caregiver_people(),
    caregiver_latest_vitals(uuid, smallint[], timestamptz),
    caregiver_series(uuid, smallint, timestamptz, timestamptz, integer),
    caregiver_doses(uuid, timestamptz, integer), caregiver_alerts(uuid) from public;
grant execute on function caregiver_people(),
    caregiver_latest_vitals(uuid, smallint[], timestamptz),
    caregiver_series(uuid, smallint, timestamptz, timestamptz, integer),
    caregiver_doses(uuid, timestamptz, integer), caregiver_alerts(uuid) to hearthbeat_caregiver;
alter function caregiver_people() owner to hearthbeat_panels;
alter function caregiver_latest_vitals(uuid, smallint[], timestamptz) owner to hearthbeat_panels;
alter function caregiver_series(uuid, smallint, timestamptz, timestamptz, integer)
    owner to hearthbeat_panels;
alter function caregiver_doses(uuid, timestamptz, integer) owner to hearthbeat_panels;
alter function caregiver_alerts(uuid) owner to hearthbeat_panels;
