-- Score: what came later than the window of a rule is looked at once the watermark has passed it; findings say more.

-- Readings of [first_at, last_at] came late for a rule, the last of them at received_at, the first of them at asked_at.
-- What arrives for hours is looked at now and then: due_at is received_at, or some minutes after asked_at.
create table look_backs (
    person_no integer not null,
    home_no integer not null references homes,
    rule text not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    received_at timestamptz not null,
    asked_at timestamptz not null,
    due_at timestamptz not null,
    primary key (person_no, rule),
    check (first_at <= last_at and due_at <= received_at)
);
create index look_backs_due on look_backs (due_at);

-- concern is '' where a rule has but one, null in findings of before. looked_back: it is of a look back. Episodes that
-- only a look back knows have numbers below 0, by when they began.
alter table findings
    add column concern text,
    add column looked_back boolean not null default false;

-- Episodes as a look back has seen all of them: when they began, and their highest level. By then heard findings had been
-- made of one. What is not in here is as its findings say.
create table seen_episodes (
    person_no integer not null,
    rule text not null,
    concern text not null,
    episode integer not null,
    onset timestamptz not null,
    level smallint not null,
    heard integer not null,
    primary key (person_no, rule, concern, episode)
);

-- What a device sent twice (flag 65536, REPEATED) is neither counted nor summed, and what was measured in another home
-- (128) is as doubtful as a poor value (32) or a wrong time (2). Otherwise as before.
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
                   when readings.flags & 162 <> 0 then null
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

create or replace view readings_1m as
select person_no, vital, date_trunc('minute', observed_at) as bucket_at, avg(value) as mean_value,
       min(value) as lowest_value, max(value) as highest_value, count(*) as readings
from readings where flags & 65536 = 0 group by person_no, vital, date_trunc('minute', observed_at);

create or replace view readings_1h as
select person_no, vital, date_trunc('hour', observed_at) as bucket_at, avg(value) as mean_value,
       min(value) as lowest_value, max(value) as highest_value, count(*) as readings
from readings where flags & 65536 = 0 group by person_no, vital, date_trunc('hour', observed_at);
