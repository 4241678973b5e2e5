-- A dose is its plan's version and its due moment: editing a plan ends one version and begins the next, and nothing
-- that was due before is planned, renamed, judged or deleted by it.

-- Append-only but for the end of valid and planned_through. author_no null: the register file. Days are local to zone.
-- weekdays: 1 Monday to 7 Sunday; null: each. every_days counts from anchor. from_day and until_day are inclusive.
-- as_needed: no times; at least least_interval_min minutes apart, most_per_day a local day. planned_through: doses due
-- up to then are written; null: none.
create table dose_plan_versions (
    version_no integer primary key generated always as identity,
    plan_id uuid not null references dose_plans,
    valid tstzrange not null check (not isempty(valid)),
    device_no integer not null references devices,
    compartment smallint not null check (compartment between 0 and 63),
    drug text not null,
    strength text not null default '',
    count double precision not null default 1 check (count > 0),
    kind text not null default 'scheduled' check (kind in ('scheduled', 'as_needed')),
    at_times time[] not null default '{}',
    weekdays smallint[] check (weekdays <@ '{1,2,3,4,5,6,7}'::smallint[] and cardinality(weekdays) > 0),
    every_days smallint not null default 1 check (every_days between 1 and 366),
    anchor date,
    from_day date,
    until_day date,
    least_interval_min integer check (least_interval_min > 0),
    most_per_day smallint check (most_per_day > 0),
    time_critical boolean not null default false,
    listed boolean not null default false,
    zone text not null,
    author_no integer references doctors,
    reason text not null default '',
    made_at timestamptz not null,
    planned_through timestamptz,
    check ((kind = 'as_needed') = (cardinality(at_times) = 0)),
    check (every_days = 1 or anchor is not null),
    check (from_day is null or until_day is null or from_day <= until_day),
    check (kind = 'scheduled' or least_interval_min is not null),
    exclude using gist (plan_id with =, valid with &&)
);
create index dose_plan_versions_by_compartment on dose_plan_versions (device_no, compartment);

insert into dose_plan_versions (plan_id, valid, device_no, compartment, drug, at_times, time_critical, zone, made_at,
                                planned_through)
select d.plan_id, d.valid, d.device_no, d.compartment, d.drug, d.at_times, d.time_critical, h.time_zone,
       coalesce(lower(d.valid), '2000-01-01Z'), (select max(s.due_at) from doses s where s.plan_id = d.plan_id)
from dose_plans d join people p using (person_no) join homes h using (home_no);

-- What is kept with the dose, so that no later edit renames it. same_due: of two moments that a clock change moved
-- together before they were made one. episode: of missed_dose, said_last: what was said of it last, said: how often anything
-- was. doubles: takings too many, double_episode: of their finding. heard_at: up to when the dispenser had been heard
-- when the dose was last looked at; judged_from: that nothing was taken may be said from then on, since it was heard.
-- unknown_since: it was not heard after then; stays when it was. What happened before fixed_at is not judged again.
alter table doses
    add column version_no integer references dose_plan_versions,
    add column drug text,
    add column strength text not null default '',
    add column count double precision not null default 1,
    add column zone text,
    add column time_critical boolean not null default false,
    add column listed boolean not null default false,
    add column as_needed boolean not null default false,
    add column same_due smallint not null default 0,
    add column said_last text check (said_last in ('not_taken', 'missed', 'taken')),
    add column said integer not null default 0,
    add column doubles integer not null default 0,
    add column double_episode integer,
    add column double_said integer not null default 0,
    add column heard_at timestamptz,
    add column judged_from timestamptz,
    add column unknown_since timestamptz,
    add column fixed_at timestamptz;

update doses set
    version_no = v.version_no, drug = v.drug, zone = v.zone, time_critical = v.time_critical,
    said_last = case
        when doses.episode is null then null
        when doses.state in ('taken', 'early', 'late') then 'taken'
        when doses.state = 'missed' and v.time_critical then 'missed'
        else 'not_taken'
    end,
    -- Settled as it was: what is received from now on may still come on top.
    fixed_at = case when doses.settled_at is not null then coalesce((select received_at from watermark), 'infinity') end
from dose_plan_versions v where v.plan_id = doses.plan_id;
update doses set same_due = twice.place
from (
    select dose_id, row_number() over (partition by version_no, due_at order by time_index) - 1 as place from doses
) twice
where twice.dose_id = doses.dose_id and twice.place > 0;

-- First: it depends on what is dropped below. Otherwise as before.
create or replace function caregiver_doses(person uuid, at_time timestamptz, days integer)
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
    select doses.local_date, doses.due_at, doses.drug, doses.state, evidence.observed_at, doses.time_critical
    from seen
    cross join (select least(greatest(days, 1), 366) as days) wanted
    join doses
      on doses.person_no = seen.person_no
     and doses.local_date > seen.today - wanted.days
     and doses.local_date <= seen.today
     and doses.due_at <@ seen.valid
    left join dose_evidence evidence on evidence.dose_id = doses.dose_id and evidence.decisive
    order by doses.due_at, doses.drug;
end;

-- The same for who is monitored: a plan is theirs while a version of it is in force.
create or replace function people_without_recipient(p_at timestamptz)
returns table (person_no integer, person_id uuid, has_doctor boolean)
language sql stable
begin atomic
    select people.person_no, people.person_id, exists (
        select from care_relations care
        where care.person_no = people.person_no and care.valid @> p_at
    )
    from people
    where (
        exists (
            select from bindings
            where bindings.person_no = people.person_no and bindings.valid @> p_at
        )
        or exists (
            select from dose_plans plan join dose_plan_versions version on version.plan_id = plan.plan_id
            where plan.person_no = people.person_no and version.valid @> p_at
        )
    ) and not exists (
        select from care_relations care
        join contact_addresses held on held.doctor_no = care.doctor_no
        where care.person_no = people.person_no and care.valid @> p_at and (
            p_at = 'infinity'
            or not exists (select from notification_channels)
            or exists (select from notification_channels one where one.channel = held.channel)
        )
    );
end;

-- state unknown: its window, or its cut-off, has passed and its dispenser was not heard since; it is not settled.
drop index doses_open;
alter table doses
    alter column version_no set not null,
    alter column drug set not null,
    alter column zone set not null,
    drop column time_index,
    add unique (version_no, due_at, same_due),
    drop constraint doses_state_check,
    add constraint doses_state_check check (
        state in ('pending', 'reminded', 'taken', 'early', 'late', 'missed', 'double', 'unknown', 'held')
    ),
    drop constraint doses_check1,
    add constraint settled_once_it_ended check (
        (settled_at is null) = (state in ('pending', 'reminded', 'unknown'))
    );
create index doses_open on doses (early_after) where settled_at is null;
create index doses_by_compartment on doses (device_no, compartment, due_at);

-- The identity of a plan; what it says stands in its versions. register_key: what the register file said of it last.
-- changed: a pause or an edit; its doses are to be looked at again.
alter table dose_plans
    add column register_key text,
    add column changed boolean not null default false,
    drop column device_no,
    drop column compartment,
    drop column drug,
    drop column at_times,
    drop column time_critical,
    drop column valid,
    drop column planned_key;
create index dose_plans_changed on dose_plans (plan_id) where changed;

-- Doses as they hold: what a version that has ended would have had after its end is none, unless it was taken early.
-- home_no is where the person lives now.
create view doses_in_force as
select s.dose_id, s.plan_id, s.version_no, s.person_no, p.home_no, s.device_no, s.compartment, s.drug, s.strength,
       s.count, s.zone, s.local_date, s.time_critical, s.listed, s.as_needed, s.early_after, s.opens_at, s.due_at,
       s.closes_at, s.missed_at, s.state, s.reminders, s.settled_at, s.episode, s.said_last, s.said, s.doubles,
       s.double_episode, s.double_said, s.heard_at, s.judged_from, s.unknown_since, s.fixed_at
from doses s join dose_plan_versions v on v.version_no = s.version_no join people p on p.person_no = s.person_no
where s.settled_at is not null or upper(v.valid) is null or s.due_at < upper(v.valid);

-- An event may belong to several doses: one lift takes all that are due in its compartment. role: what it is to the
-- dose: it decided it, was part of the same taking, was one too many, lifted an empty cup, or one of a paused plan.
alter table dose_evidence
    add column role text,
    drop constraint dose_evidence_pkey,
    add primary key (dose_id, device_no, epoch, seq, item),
    drop constraint dose_evidence_dose_id_fkey,
    add foreign key (dose_id) references doses on delete cascade;
update dose_evidence set role = case when decisive then 'decided' else 'same' end;
alter table dose_evidence
    alter column role set not null,
    add constraint dose_evidence_role_check check (role in ('decided', 'same', 'double', 'empty', 'held'));
create index dose_evidence_by_event on dose_evidence (device_no, epoch, seq, item);

-- Dose events received up to then have been looked at, all of them. At first a day less: what was settled is fixed.
create table dose_events_position (
    only_row boolean primary key default true check (only_row),
    received_at timestamptz not null
);
insert into dose_events_position (received_at) select coalesce((select received_at - interval '1 day' from watermark), '-infinity');
