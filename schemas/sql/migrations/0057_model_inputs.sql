-- What the models of score were asked, counted by feature and decile of training; and how far it is from training.

-- fitted: which fit of the model. shares: of each bin at training, the last one of what was missing; counts: of the same
-- bins, rows of the day (UTC). instance: which member of score; people: of how many people it saw rows since it began.
create table model_inputs (
    day date not null,
    model text not null,
    fitted text not null,
    feature text not null,
    instance text not null,
    shares double precision[] not null,
    counts bigint[] not null,
    people integer not null,
    primary key (day, model, fitted, feature, instance),
    check (cardinality(shares) = cardinality(counts))
);

-- The population stability index by feature, over the days (UTC) that the range touches: services/score/models/
-- feature_drift.py says the same of the same counts. people: on the day with the most.
create function operator_model_drift(since timestamptz, until timestamptz)
returns table (
    model text, fitted text, last_day date, rows bigint, people bigint, feature text, stability_index double precision
)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    with days as (
        select * from model_inputs
        where day >= (since at time zone 'UTC')::date and day <= (until at time zone 'UTC')::date
    ), seen as (
        select model, fitted, max(day) as last_day, max(people) as people
        from (select model, fitted, feature, day, sum(people) as people from days group by 1, 2, 3, 4) a_day
        group by 1, 2
    ), binned as (
        select model, fitted, feature, bin.place, sum(bin.count)::double precision as came, max(bin.share) as was
        from days, unnest(days.counts, days.shares) with ordinality as bin (count, share, place)
        group by 1, 2, 3, 4
    ), shared as (
        select model, fitted, feature, came, greatest(was, 0.0001) as was,
               greatest(came / nullif(sum(came) over (partition by model, fitted, feature), 0), 0.0001) as present
        from binned
    )
    select shared.model, shared.fitted, seen.last_day, sum(shared.came)::bigint, seen.people::bigint, shared.feature,
           sum((shared.present - shared.was) * ln(shared.present / shared.was))
    from shared join seen on seen.model = shared.model and seen.fitted = shared.fitted
    group by shared.model, shared.fitted, seen.last_day, seen.people, shared.feature
    order by 1, 2, 6;
end;

grant select on model_inputs to hearthbeat_panels;
revoke all on function operator_model_drift(timestamptz, timestamptz) from public;
grant execute on function operator_model_drift(timestamptz, timestamptz) to hearthbeat_operator;
alter function operator_model_drift(timestamptz, timestamptz) owner to hearthbeat_panels;
