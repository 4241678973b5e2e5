-- ingest: knows the register, but nobody's name; claims its shards; counts whom it throttles.

-- ctid and xmin: the mark of the register is made of where its rows lie and who wrote them.
grant select (ctid, device_no, person_no, slot, valid, xmin) on bindings to hearthbeat_ingest;
grant select (ctid, device, device_no, device_type, home_no, removed_at, shard, xmin) on devices to hearthbeat_ingest;
grant select (instance, shard), insert (instance, shard), update (instance) on ingest_shards to hearthbeat_ingest;
grant select (ctid, home_no, person_no, xmin) on people to hearthbeat_ingest;
grant select (began_at, device, last_at, throttled), insert (began_at, device, last_at, throttled), update (began_at,
    last_at, throttled) on throttled_devices to hearthbeat_ingest;
grant select (instance) on watermarks to hearthbeat_ingest;
