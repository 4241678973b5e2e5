-- store: writes what devices sent, what is settled of it and what was rejected; reads what it has to compare with.

-- It also copies into readings, which takes the same columns as its insert.
grant select (boundary, device_no, epoch, floor, last_received_at, put_away, refused, rejected, settled), insert
    (device_no, epoch, floor, last_received_at, refused, rejected, settled), update (boundary, floor,
    last_received_at, put_away, refused, rejected, settled) on device_cursor to hearthbeat_store;
grant select (details, device_no, epoch, kind, observed_at, seq), insert (details, device_no, epoch, flags, home_no,
    item, kind, observed_at, person_no, received_at, seq) on device_events to hearthbeat_store;
grant select (battery_at, battery_percent, device_no, firmware, leaving, said_at, since, state), insert (battery_at,
    battery_percent, device_no, firmware, leaving, said_at, since, state), update (battery_at, battery_percent,
    firmware, leaving, said_at, since, state) on device_status to hearthbeat_store;
grant select (device_no) on devices to hearthbeat_store;
grant insert (conflicts, found_at) on key_conflicts to hearthbeat_store;
grant select (cluster, generation) on platform to hearthbeat_store;
grant select (device_no, epoch, observed_at, person_no, seq, value, vital), insert (device_no, epoch, flags, item,
    observed_at, person_no, received_at, seq, value, vital) on readings to hearthbeat_store;
grant select (device, device_no, epoch, field, flags, item, observed_at, raw, reason, received_at, seq), insert
    (device, device_no, epoch, field, flags, item, observed_at, raw, reason, received_at, seq), update (field, flags,
    observed_at, raw, reason, received_at), delete on rejected to hearthbeat_store;
grant select (device_no, end_seq, epoch, first_seq), insert (device_no, end_seq, epoch, first_seq), delete on
    settled_ranges to hearthbeat_store;
grant select (partition_no, position), insert (partition_no, position), update (position) on store_positions to
    hearthbeat_store;
grant select (consumer, instance, partition_no, received_at), insert (consumer, instance, partition_no, received_at),
    update (received_at) on watermarks to hearthbeat_store;
grant execute on function current_cluster() to hearthbeat_store;
grant execute on function pg_try_advisory_xact_lock(bigint) to hearthbeat_store;
