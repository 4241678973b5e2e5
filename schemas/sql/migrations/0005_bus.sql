-- The embedded bus: a durable log and group offsets. Its one partition is number 0.
create table bus_topics (
    topic text primary key,
    next_offset bigint not null
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
