-- name: devices
-- Every registered device but those that were taken away.
select device_no, device, device_type, home_no, shard from devices where removed_at is null;

-- name: bindings
-- Whose each slot is and was, in milliseconds; open ends are as far away as a bigint reaches comfortably.
select b.device_no, b.slot, b.person_no, p.home_no,
       coalesce((extract(epoch from lower(b.valid)) * 1000)::bigint, 0) as from_ms,
       coalesce((extract(epoch from upper(b.valid)) * 1000)::bigint, 9007199254740992) as to_ms
from bindings b join people p using (person_no);

-- name: registry_mark
-- A mark of what the two queries above read: another one where a row was added, changed or removed since. Every change
-- gives a row another place and another transaction.
-- A sum, since it does not depend on the order in which the rows are read.
select md5(string_agg(part, ' ' order by part)) as mark
from (
    select 'devices ' || sum(hashtextextended(ctid::text || ' ' || xmin::text, 0)) from devices
    union all
    select 'bindings ' || sum(hashtextextended(ctid::text || ' ' || xmin::text, 0)) from bindings
    union all
    select 'people ' || sum(hashtextextended(ctid::text || ' ' || xmin::text, 0)) from people
) as parts (part);

-- name: has_run_before
-- Whether markers of an instance have come through.
select exists (select from watermarks where instance = $1);

-- name: note_throttled
-- Devices that sent more than they may; one that has rested for a minute begins anew.
insert into throttled_devices as f (device, began_at, last_at, throttled)
select device, $3, $3, throttled from unnest($1::text[], $2::bigint[]) as noted (device, throttled)
on conflict (device) do update set
    began_at = case when f.last_at < $3 - interval '1 minute' then excluded.began_at else f.began_at end,
    throttled = excluded.throttled + case when f.last_at < $3 - interval '1 minute' then 0 else f.throttled end,
    last_at = excluded.last_at;

-- name: claim_shards
-- These shards are this instance's now.
insert into ingest_shards (shard, instance) select shard, $1 from unnest($2::smallint[]) as shard
on conflict (shard) do update set instance = excluded.instance where ingest_shards.instance <> excluded.instance;

-- name: shards_of
-- How many shards an instance has.
select count(*) from ingest_shards where instance = $1;

-- name: forget_markers
-- An instance that was taken away for good.
delete from watermarks where instance = $1;
