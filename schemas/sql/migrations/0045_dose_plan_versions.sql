-- A dose is its plan's version and its due moment: editing a plan ends one version and begins the next, and nothing
-- that was due before is planned, renamed, judged or deleted by it.

-- Append-only but for the end of valid and planned_through. author_no null: the register file. Days are local to zone.
-- weekdays: 1 Monday to 7 Sunday; null: each. every_days counts from anchor. from_day and until_day are inclusive.
-- as_needed: no times; at least least_interval_min minutes apart, most_per_day a local day. stock counts from here.
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
    exclude using gist (plan_id with =, valid with &&)
);
create index dose_plan_versions_by_compartment on dose_plan_versions (device_no, compartment);

insert into dose_plan_versions (plan_id, valid, device_no, compartment, drug, at_times, time_critical, zone, made_at)
select d.plan_id, d.valid, d.device_no, d.compartment, d.drug, d.at_times, d.time_critical, h.time_zone,
       lower(d.valid)
from dose_plans d join people p using (person_no) join homes h using (home_no);

-- What is kept with the dose, so that no later edit renames it. same_due: of two moments that a clock change moved
-- together before they were made one. concern_episode of a double is double_episode. heard_at: up to when the device
-- had been heard when the dose was last judged. unknown: closed, and the device not heard since; not settled.
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
    add column double_episode integer,
    add column said integer not null default 0,
    add column doubles integer not null default 0,
    add column heard_at timestamptz,
    add column unknown_since timestamptz,
    add column superseded_by integer references dose_plan_versions;

update doses set version_no = v.version_no, drug = v.drug, zone = v.zone, time_critical = v.time_critical
from dose_plan_versions v where v.plan_id = doses.plan_id;
update doses set same_due = twice.place
from (
    select dose_id, row_number() over (partition by version_no, due_at order by time_index) - 1 as place from doses
) twice
where twice.dose_id = doses.dose_id and twice.place > 0;

alter table doses
    alter column version_no set not null,
    alter column drug set not null,
    alter column zone set not null,
    alter column local_date drop not null,
    alter column time_index drop not null,
    drop constraint doses_plan_id_local_date_time_index_key,
    add unique (version_no, due_at, same_due),
    drop constraint doses_state_check,
    add constraint doses_state_check check (
        state in ('pending', 'reminded', 'taken', 'early', 'late', 'missed', 'double', 'unknown', 'held')
    );

-- An event may belong to several doses: one lift takes all that are due in its compartment. role: what it is to the
-- dose: it decided it, was part of the same taking, was one too many, or lifted an empty cup.
alter table dose_evidence
    add column role text,
    drop constraint dose_evidence_pkey,
    add primary key (dose_id, device_no, epoch, seq, item);
update dose_evidence set role = case when decisive then 'decided' else 'same' end;
alter table dose_evidence
    alter column role set not null,
    add constraint dose_evidence_role_check check (role in ('decided', 'same', 'double', 'empty'));
create index dose_evidence_by_event on dose_evidence (device_no, epoch, seq, item);
