-- name: life
-- What is kept of the life of a device: see LifeFacts.
select device_no, removed_at is not null as removed, verifier is not null as has_credential,
       suspended_at is not null as suspended, revoked_at is not null as revoked,
       exists (
           select from device_claims claim
           where claim.device_no = devices.device_no and used_at is null and withdrawn_at is null
       ) as offered
from devices left join device_credentials using (device_no) where device = $1;

-- name: suspend
-- Kept out from $2 on; the secret stays.
update device_credentials set suspended_at = $2 where device_no = $1;

-- name: resume
-- Let in again. What is revoked stays so.
update device_credentials set suspended_at = null where device_no = $1 and revoked_at is null;

-- name: revoke
-- A revoked credential is suspended as well.
update device_credentials set revoked_at = $2, suspended_at = coalesce(suspended_at, $2) where device_no = $1;

-- name: rotate_later
-- The new verifier $2 from $3 on; what was to come before is in force if its time has come by $4, else forgotten.
-- Until $3 the device has the secret that it had, whoever else may have it.
update device_credentials
set verifier = case when next_from <= $4 then next_verifier else verifier end,
    issued_at = case when next_from <= $4 then next_from else issued_at end, next_verifier = $2, next_from = $3
where device_no = $1;

-- name: withdraw_claims
-- A code that was not used is good no longer.
update device_claims set withdrawn_at = $2 where device_no = $1 and used_at is null and withdrawn_at is null;

-- name: make_claim
-- A code, by its hash $2, that is good until $4.
insert into device_claims (device_no, code_hash, made_at, ends_at) values ($1, $2, $3, $4);

-- name: claim
-- The claim of a code, for whoever holds the lock of the registration.
select claim_no, device, ends_at, used_at, withdrawn_at from device_claims join devices using (device_no)
where code_hash = $1;

-- name: use_claim
-- The code was traded for a secret.
update device_claims set used_at = $2 where claim_no = $1;

-- name: used_again
-- Only the first time counts: when it was is what an operator compares.
update device_claims set used_again_at = coalesce(used_again_at, $2) where claim_no = $1;

-- name: wipe
-- Nothing is left of what let the device in; that it was brought twice stays written down.
delete from device_credentials where device_no = $1;

-- name: doubted_claims
-- Devices whose code was brought twice, and that at $1 still have what the first one got.
select device, used_at, used_again_at from device_claims
join devices using (device_no) join device_credentials using (device_no)
where used_again_at >= case when next_from <= $1 then next_from else issued_at end and suspended_at is null
order by device;

-- name: life_changes
-- What was done with a device, the newest first.
select changed_at, changed_by, command from register_changes
where subject = $1 and command like 'device %' order by change_no desc limit $2;
