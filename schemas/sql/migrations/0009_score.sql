-- Score: its state's checkpoint, calls for help that wait for an answer, devices that are silent.

-- passed_at is the newest watermark marker before the position.
create table score_positions (
    partition_no integer primary key,
    position bigint not null,
    passed_at timestamptz
);

-- A state is some kilobytes that are written again every few seconds and read once, at a start. As
-- json it is kept as it comes: to take it apart at each writing costs more than all the rest of the
-- writing. Storage is external, for squeezing it costs more than the bytes.
create table score_state (
    home_no integer primary key references homes,
    partition_no integer not null,
    state json storage external not null
);
create index score_state_by_partition on score_state (partition_no);

-- decided_at is when the check was decided, platform time; level is what it came to.
create table fall_checks (
    home_no integer not null references homes,
    person_no integer not null,
    episode integer not null,
    device_no integer not null,
    epoch bigint not null,
    seq bigint not null,
    item smallint not null,
    observed_at timestamptz not null,
    due_at timestamptz not null,
    decided_at timestamptz,
    level smallint,
    ended_at timestamptz,
    primary key (home_no, person_no, episode),
    check ((decided_at is null) = (level is null))
);
create index fall_checks_open on fall_checks (due_at) where ended_at is null;

-- due_at is when the call ends unless the button is pressed again.
create table sos_calls (
    home_no integer not null references homes,
    person_no integer not null,
    episode integer not null,
    device_no integer not null,
    epoch bigint not null,
    seq bigint not null,
    item smallint not null,
    observed_at timestamptz not null,
    due_at timestamptz not null,
    ended_at timestamptz,
    primary key (home_no, person_no, episode)
);
create index sos_calls_open on sos_calls (due_at) where ended_at is null;

create table silences (
    home_no integer not null references homes,
    person_no integer not null,
    episode integer not null,
    device_no integer not null references devices,
    last_heard_at timestamptz not null,
    silent_at timestamptz not null,
    ended_at timestamptz,
    primary key (home_no, person_no, episode)
);
create unique index one_open_silence on silences (device_no) where ended_at is null;

-- How far the watch for silence has come, and when our own last outage ended: nobody is silent
-- because of that.
create table silence_watch (
    only_row boolean primary key default true check (only_row),
    watermark_at timestamptz not null,
    resumed_at timestamptz not null
);
