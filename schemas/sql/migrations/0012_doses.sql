-- Dose plans, the doses they make, what counts as taking one, and commands to devices.

-- planned_key says what the planner has planned already; null: nothing yet.
create table dose_plans (
    plan_id uuid primary key,
    person_no integer not null references people,
    device_no integer not null references devices,
    compartment smallint not null check (compartment between 0 and 63),
    drug text not null,
    at_times time[] not null check (cardinality(at_times) > 0),
    time_critical boolean not null default false,
    valid tstzrange not null check (not isempty(valid)),
    planned_key text
);
create index dose_plans_by_person on dose_plans (person_no);

-- An event in (early_after, missed_at] counts: before opens_at early, after closes_at late, else
-- taken. episode is that of the dose's missed_dose finding; null: none was raised.
create table doses (
    dose_id uuid primary key,
    plan_id uuid not null references dose_plans,
    person_no integer not null references people,
    home_no integer not null references homes,
    device_no integer not null references devices,
    compartment smallint not null,
    local_date date not null,
    time_index smallint not null,
    early_after timestamptz not null,
    opens_at timestamptz not null,
    due_at timestamptz not null,
    closes_at timestamptz not null,
    missed_at timestamptz not null,
    state text not null default 'pending'
        check (state in ('pending', 'reminded', 'taken', 'early', 'late', 'missed')),
    reminders smallint not null default 0,
    episode integer,
    settled_at timestamptz,
    unique (plan_id, local_date, time_index),
    check (
        early_after <= opens_at and opens_at <= due_at and due_at <= closes_at
        and closes_at <= missed_at
    ),
    check ((settled_at is null) = (state in ('pending', 'reminded')))
);
create index doses_open on doses (early_after) where state in ('pending', 'reminded');
create index doses_by_person on doses (person_no, due_at);

-- Each dose event counts once at most. Not decisive: part of the same taking as a decisive one.
create table dose_evidence (
    device_no integer not null,
    epoch bigint not null,
    seq bigint not null,
    item smallint not null,
    dose_id uuid not null references doses,
    compartment smallint not null,
    kind smallint not null,
    observed_at timestamptz not null,
    decisive boolean not null,
    primary key (device_no, epoch, seq, item)
);
create unique index one_decisive_event on dose_evidence (dose_id) where decisive;
create index dose_evidence_by_compartment on dose_evidence (device_no, compartment, observed_at);

-- Anyone may insert; medication publishes what is not sent and not expired.
create table commands (
    command_id uuid primary key,
    device_no integer not null references devices,
    kind text not null check (kind in ('remind_dose', 'check_in')),
    details jsonb not null default '{}',
    created_at timestamptz not null,
    expires_at timestamptz not null,
    sent_at timestamptz
);
create index commands_unsent on commands (created_at) where sent_at is null;
