-- follow: reads whom the broker is to let in, and by which secret; it writes nothing.
grant select (device_no, next_from, next_verifier, revoked_at, suspended_at, verifier) on device_credentials to
    hearthbeat_follow;
grant select (device, device_no, removed_at, shard) on devices to hearthbeat_follow;
grant execute on function pg_advisory_xact_lock(bigint) to hearthbeat_follow;
