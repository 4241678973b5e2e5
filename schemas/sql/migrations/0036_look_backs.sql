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
