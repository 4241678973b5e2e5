-- Plans that a doctor has paused, what is left in stock, and what a caregiver reads at the end of a window.

-- Append-only but for the end of valid, with who ended it. Upper null: until it is resumed.
create table plan_pauses (
    pause_no integer primary key generated always as identity,
    plan_id uuid not null references dose_plans,
    valid tstzrange not null check (not isempty(valid)),
    doctor_no integer not null references doctors,
    why text not null check (why <> ''),
    made_at timestamptz not null,
    ended_by integer references doctors,
    exclude using gist (plan_id with =, valid with &&)
);

-- Append-only. counted: so much was there at that moment; refilled: so much was put in. author_no null: the register.
create table plan_stock (
    stock_no integer primary key generated always as identity,
    plan_id uuid not null references dose_plans,
    at timestamptz not null,
    count double precision not null check (count >= 0),
    what text not null check (what in ('counted', 'refilled')),
    author_no integer references doctors
);
create index plan_stock_by_plan on plan_stock (plan_id, at);

-- Sentences for caregivers that are no findings: a dose was not taken in its window. message and facts as of a finding.
create table caregiver_notices (
    notice_no bigint primary key generated always as identity,
    person_no integer not null references people,
    home_no integer not null references homes,
    dose_id uuid not null references doses on delete cascade,
    at timestamptz not null,
    made_at timestamptz not null,
    message text not null,
    facts jsonb not null,
    caregiver_text text not null,
    unique (dose_id, message)
);
create index caregiver_notices_by_person on caregiver_notices (person_no, at);
