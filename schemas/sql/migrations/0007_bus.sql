-- The embedded bus: a durable log and group offsets. Its one partition is number 0.

-- retention_h: how long the bus keeps a topic, so that every process that opens it knows.
create table bus_topics (
    topic text primary key,
    next_offset bigint not null,
    retention_h integer not null default 72 check (retention_h > 0)
);

create table bus_log (
    topic text not null references bus_topics,
    log_offset bigint not null,
    key bytea not null,
    value bytea not null,
    appended_at timestamptz not null,
    primary key (topic, log_offset)
);

create table bus_offsets (
    topic text not null references bus_topics,
    consumer_group text not null,
    next_offset bigint not null,
    primary key (topic, consumer_group)
);
