-- What watch finds wrong with the platform itself.

-- All times are real time: an outage of ours is no matter of health time. Nothing here names a
-- person; a flooding device is named by its number.
create table platform_incidents (
    incident_id uuid primary key,
    kind text not null,
    subject text not null,
    detail text not null,
    opened_at timestamptz not null,
    last_seen_at timestamptz not null,
    ended_at timestamptz,
    notified_at timestamptz,
    end_notified_at timestamptz
);
create unique index one_open_incident on platform_incidents (kind, subject) where ended_at is null;
create index platform_incidents_by_time on platform_incidents (opened_at);

-- The last value of each counter that watch follows, so that a rise while watch was down is seen at
-- its next start.
create table watch_counters (
    counter text primary key,
    value bigint not null
);

-- Devices that sent more than they may. What was throttled is not lost: the device keeps it and
-- sends it again.
create table throttled_devices (
    device text primary key,
    began_at timestamptz not null,
    last_at timestamptz not null,
    throttled bigint not null
);
