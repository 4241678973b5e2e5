-- The platform itself: which database it knows, who reads which shard, how far everybody has come.

-- cluster and restored_at (platform time): which database this is and when it was restored last, so
-- that a database that is another one, or went back in time, is noticed. cluster null: not noted
-- yet.
create table platform (
    only_row boolean primary key default true check (only_row),
    generation bigint not null,
    bus_partitions integer not null,
    cluster text,
    restored_at timestamptz
);
insert into platform (generation, bus_partitions) values (1, 1);

-- How far store has come in the log.
create table store_positions (
    partition_no integer primary key,
    position bigint not null
);

-- The system identifier, which another cluster does not have, and the timeline, which a promotion
-- or a recovery to a moment begins. The control file shows a new timeline only after the next
-- checkpoint, the name of the log file at once.
create function current_cluster() returns text language sql volatile
return (
    select system_identifier || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
    from pg_control_system()
);
revoke execute on function current_cluster() from public;

-- Which instance of ingest has each shard: whoever started last with it in its list. An instance
-- that has none any more was taken away, and the watermark waits for its markers no longer.
create table ingest_shards (
    shard smallint primary key check (shard between 0 and 63),
    instance text not null
);

create table watermarks (
    consumer text not null check (consumer in ('store', 'score')),
    instance text not null,
    partition_no integer not null,
    received_at timestamptz not null,
    primary key (consumer, instance, partition_no)
);

-- Until an ingest has written its shards, every instance that was ever heard counts.
create view counted_watermarks as
select marks.consumer, marks.instance, marks.partition_no, marks.received_at
from watermarks marks
where not exists (select from ingest_shards)
   or marks.instance in (select owned.instance from ingest_shards owned);

-- The lowest reception time that store and score have both committed; null until each has seen
-- every partition of every instance that has shards.
create view watermark as
select case
    when count(*) > 0 and count(*) >= 2 * (select bus_partitions from platform) * greatest(
        count(distinct instance), (select count(distinct owned.instance) from ingest_shards owned)
    )
    then min(received_at)
end as received_at
from counted_watermarks;
