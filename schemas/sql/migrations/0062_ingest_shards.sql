-- Which instance of ingest has each shard: whoever started last with it in its list. An instance that has none any more
-- was taken away, and the watermark waits for its watermark markers no longer.
create table ingest_shards (
    shard smallint primary key check (shard between 0 and 63),
    instance text not null
);

-- Until an ingest has written its shards, every instance that was ever heard counts.
create view counted_watermarks as
select marks.consumer, marks.instance, marks.partition_no, marks.received_at
from watermarks marks
where not exists (select from ingest_shards)
   or marks.instance in (select owned.instance from ingest_shards owned);

-- The lowest reception time that store and score have both committed; null until each has seen every partition of every
-- instance that has shards.
create or replace view watermark as
select case
    when count(*) > 0 and count(*) >= 2 * (select bus_partitions from platform) * greatest(
        count(distinct instance), (select count(distinct owned.instance) from ingest_shards owned)
    )
    then min(received_at)
end as received_at
from counted_watermarks;

create or replace view operator_platform as
select platform.generation, platform.bus_partitions,
       coalesce((select extversion::text from pg_extension where extname = 'timescaledb'), 'none') as timescaledb,
       (select received_at from watermark) as watermark_at,
       (select min(received_at) from counted_watermarks where consumer = 'store') as stored_up_to,
       (select min(received_at) from counted_watermarks where consumer = 'score') as scored_up_to,
       (select coalesce(sum(conflicts), 0) from key_conflicts) as key_conflicts
from platform;
grant select on counted_watermarks to hearthbeat_panels;
