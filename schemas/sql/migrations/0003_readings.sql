-- Every reading and every event of the devices.

-- A month of one vital by the minute is 43,200 rows, each on a page of its own, for people's
-- readings lie mixed as they came. With value and flags in the index of the key they are read from
-- a few hundred pages that lie together.
create table readings (
    person_no integer not null,
    vital smallint not null,
    observed_at timestamptz not null,
    device_no integer not null,
    epoch bigint not null,
    seq bigint not null,
    item smallint not null,
    value double precision not null,
    flags integer not null,
    received_at timestamptz not null,
    primary key (person_no, vital, observed_at, device_no, epoch, seq, item) include (value, flags)
);

create table device_events (
    device_no integer not null,
    epoch bigint not null,
    seq bigint not null,
    item smallint not null,
    home_no integer not null,
    person_no integer not null,
    kind smallint not null,
    observed_at timestamptz not null,
    received_at timestamptz not null,
    flags integer not null,
    details jsonb not null,
    primary key (device_no, epoch, seq, item)
);
create index device_events_by_person on device_events (person_no, kind, observed_at);
create index device_events_by_device on device_events (device_no, kind, observed_at);

-- Rows are appended in order of reception, so a block range index finds an hour of them at next to
-- no cost. The block ranges of the newest rows are summed up as they fill, not only when a vacuum
-- comes by: until then every question about the last hour reads all of them.
create index readings_by_reception on readings
using brin (received_at) with (autosummarize = on);
create index device_events_by_reception on device_events
using brin (received_at) with (autosummarize = on);

-- Readings whose key was there already, which what is settled should have kept out.
create table key_conflicts (
    found_at timestamptz not null,
    conflicts integer not null
);
