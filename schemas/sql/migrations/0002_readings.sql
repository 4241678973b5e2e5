-- Every reading, every event, everything rejected, and what is settled of each device.
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
    primary key (person_no, vital, observed_at, device_no, epoch, seq, item)
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

-- Item -1 is a whole uplink. An uplink without identity is known by its place on the bus: device_no 0,
-- epoch = partition, seq = offset.
create table rejected (
    device_no integer not null,
    epoch bigint not null,
    seq bigint not null,
    item smallint not null,
    device text not null,
    reason text not null,
    field text not null,
    raw bytea not null,
    received_at timestamptz not null,
    primary key (device_no, epoch, seq, item)
);
create index rejected_by_time on rejected (received_at);

create table device_cursor (
    device_no integer not null,
    epoch bigint not null,
    settled int8multirange not null,
    floor bigint not null,
    rejected jsonb not null,
    last_received_at timestamptz not null,
    primary key (device_no, epoch)
);

create table key_conflicts (
    found_at timestamptz not null,
    conflicts integer not null
);
