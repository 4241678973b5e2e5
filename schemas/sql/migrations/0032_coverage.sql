-- Which minutes of each monitored vital of a person were watched, and why the others were not.

-- An hour is a row. Each minute that has passed is one bit of exactly one column, the first minute
-- the lowest; a minute of which nothing is known has none. Written anew while its minutes can
-- change, so pages keep free room.
create table coverage (
    person_no integer not null references people,
    vital smallint not null,
    hour timestamptz not null,
    watched bigint not null,
    charging bigint not null,
    not_worn bigint not null,
    moving bigint not null,
    poor bigint not null,
    home_silent bigint not null,
    device_silent bigint not null,
    primary key (person_no, vital, hour)
) with (fillfactor = 70);

-- Of each wanted vital how many of the 24 hours before at_time were watched, and how long it was not
-- for which reason; in minutes. A vital that is not monitored is no row.
create function caregiver_watched(person uuid, wanted smallint[], at_time timestamptz)
returns table (
    vital smallint, watched bigint, charging bigint, not_worn bigint, moving bigint, poor bigint,
    home_silent bigint, device_silent bigint
)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    with seen as materialized (
        select scope.person_no, scope.vitals,
               greatest(at_time - interval '24 hours', lower(scope.valid)) as since,
               least(at_time, upper(scope.valid)) as until
        from caregiver_scope scope where scope.person_id = person
    )
    select kept.vital, sum(bit_count(kept.watched & kept.mask)), sum(bit_count(kept.charging & kept.mask)),
           sum(bit_count(kept.not_worn & kept.mask)), sum(bit_count(kept.moving & kept.mask)),
           sum(bit_count(kept.poor & kept.mask)), sum(bit_count(kept.home_silent & kept.mask)),
           sum(bit_count(kept.device_silent & kept.mask))
    from (
        select coverage.vital, coverage.watched::bit(64), coverage.charging::bit(64), coverage.not_worn::bit(64),
               coverage.moving::bit(64), coverage.poor::bit(64), coverage.home_silent::bit(64),
               coverage.device_silent::bit(64),
               -- The minutes from the first to before the last one of the hour that are asked for.
               ((1::bigint << within.after) - (1::bigint << within.first))::bit(64) as mask
        from seen
        join coverage
          on coverage.person_no = seen.person_no and coverage.vital = any (wanted)
         and coverage.hour > seen.since - interval '1 hour' and coverage.hour < seen.until
        cross join lateral (
            select least(60, greatest(0, floor(extract(epoch from seen.since - coverage.hour) / 60)))::integer as first,
                   least(60, greatest(0, floor(extract(epoch from seen.until - coverage.hour) / 60)))::integer as after
        ) within
        where seen.vitals is null or coverage.vital = any (seen.vitals)
    ) kept
    group by kept.vital
    order by kept.vital;
end;

revoke all on function caregiver_watched(uuid, smallint[], timestamptz) from public;
grant execute on function caregiver_watched(uuid, smallint[], timestamptz) to hearthbeat_caregiver;
grant select on coverage to hearthbeat_panels;
alter function caregiver_watched(uuid, smallint[], timestamptz) owner to hearthbeat_panels;
