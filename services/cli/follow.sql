-- name: lock
-- As `lock` of the registration: one at a time writes the broker's files.
select pg_advisory_xact_lock(7001065);

-- name: admitted
-- Whom the broker lets in at $1, and by which secret: the shard is part of what a device may say.
select device, shard, case when next_from <= $1 then next_verifier else verifier end as verifier
from device_credentials join devices using (device_no)
where suspended_at is null and revoked_at is null and removed_at is null order by device;
