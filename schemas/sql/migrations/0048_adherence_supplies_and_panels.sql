-- What each day's adherence came to, what is left of a plan's medicine, and what a caregiver's panels show of both.

-- One row a person and local day, written when the day is closed: taken of those doses of the seven days that end with
-- it whose outcome was known then. It says that the day has been judged.
create table adherence_days (
    person_no integer not null references people,
    day date not null,
    taken integer not null,
    known integer not null check (taken between 0 and known),
    closed_at timestamptz not null,
    primary key (person_no, day)
);

-- The newest forecast of each plan with stock; written by medication. left_count in units of the plan. runs_out_at: the
-- first due moment that it does not cover; null: none is known of. state_key: all that it was made from.
create table plan_supplies (
    plan_id uuid primary key references dose_plans,
    as_of timestamptz not null,
    left_count double precision not null check (left_count >= 0),
    runs_out_at timestamptz,
    refill_due boolean not null,
    state_key text not null
);

create index doses_by_plan on doses (plan_id, due_at);
create index doses_to_notice on doses (closes_at) where state in ('pending', 'reminded', 'missed') and not as_needed;

-- The doses of the home's own calendar day that holds at_time, and of the days before it, as they were prescribed.
-- strength '': none is known. taken_at: when it was first taken. doubles: takings too many. zone: of its times.
drop function caregiver_doses(uuid, timestamptz, integer);
create function caregiver_doses(person uuid, at_time timestamptz, days integer)
returns table (
    local_date date, due_at timestamptz, drug text, strength text, count double precision, state text,
    taken_at timestamptz, time_critical boolean, as_needed boolean, doubles integer, zone text
)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    with seen as materialized (
        select scope.person_no, scope.valid, (at_time at time zone homes.time_zone)::date as today
        from caregiver_scope scope join homes on homes.home_no = scope.home_no
        where scope.person_id = person and scope.doses
    )
    select doses.local_date, doses.due_at, doses.drug, doses.strength, doses.count, doses.state, evidence.taken_at,
           doses.time_critical, doses.as_needed, doses.doubles, doses.zone
    from seen
    cross join (select least(greatest(days, 1), 366) as days) wanted
    join doses_in_force doses
      on doses.person_no = seen.person_no
     and doses.local_date > seen.today - wanted.days
     and doses.local_date <= seen.today
     and doses.due_at <@ seen.valid
    cross join lateral (
        select min(dose_evidence.observed_at) as taken_at from dose_evidence
        where dose_evidence.dose_id = doses.dose_id and dose_evidence.role = 'decided'
    ) evidence
    order by doses.due_at, doses.drug, doses.dose_id;
end;

-- What a caregiver was to know of doses whose window closed in the days up to at_time: the sentence of then, and what
-- has become of the dose since. taken_at null: it was not taken as far as is known.
create function caregiver_dose_notices(person uuid, at_time timestamptz, days integer)
returns table (
    at timestamptz, caregiver_text text, message text, facts jsonb, drug text, strength text, state text,
    taken_at timestamptz, zone text
)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    with seen as materialized (
        select scope.person_no, scope.valid
        from caregiver_scope scope where scope.person_id = person and scope.doses
    )
    select notices.at, notices.caregiver_text, notices.message, notices.facts, doses.drug, doses.strength, doses.state,
           evidence.taken_at, doses.zone
    from seen
    cross join (select make_interval(days => least(greatest(days, 1), 366)) as lasts) wanted
    join caregiver_notices notices
      on notices.person_no = seen.person_no
     and notices.at > at_time - wanted.lasts
     and notices.at <= at_time
     and notices.at <@ seen.valid
    join doses on doses.dose_id = notices.dose_id
    cross join lateral (
        select min(dose_evidence.observed_at) as taken_at from dose_evidence
        where dose_evidence.dose_id = doses.dose_id and dose_evidence.role = 'decided'
    ) evidence
    order by notices.at desc, notices.notice_no desc;
end;

-- What is left of each medicine that is prescribed now and whose stock somebody has counted, and until when it lasts.
create function caregiver_supplies(person uuid, at_time timestamptz)
returns table (
    drug text, strength text, left_count double precision, as_of timestamptz, runs_out_at timestamptz,
    refill_due boolean, zone text
)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    with seen as materialized (
        select scope.person_no, scope.valid
        from caregiver_scope scope where scope.person_id = person and scope.doses
    )
    select versions.drug, versions.strength, supplies.left_count, supplies.as_of, supplies.runs_out_at,
           supplies.refill_due, versions.zone
    from seen
    join dose_plans plans on plans.person_no = seen.person_no
    join plan_supplies supplies on supplies.plan_id = plans.plan_id and supplies.as_of <@ seen.valid
    join dose_plan_versions versions on versions.plan_id = plans.plan_id and versions.valid @> at_time
    order by supplies.runs_out_at nulls last, versions.drug, plans.plan_id;
end;

revoke all on function caregiver_doses(uuid, timestamptz, integer),
    caregiver_dose_notices(uuid, timestamptz, integer), caregiver_supplies(uuid, timestamptz) from public;
grant execute on function caregiver_doses(uuid, timestamptz, integer),
    caregiver_dose_notices(uuid, timestamptz, integer), caregiver_supplies(uuid, timestamptz) to hearthbeat_caregiver;
grant select on caregiver_notices, dose_plan_versions, doses_in_force, plan_supplies to hearthbeat_panels;
alter function caregiver_doses(uuid, timestamptz, integer) owner to hearthbeat_panels;
alter function caregiver_dose_notices(uuid, timestamptz, integer) owner to hearthbeat_panels;
alter function caregiver_supplies(uuid, timestamptz) owner to hearthbeat_panels;
