-- The life of devices' credentials: claims, secrets that change at a set time, and credentials that are over for good.

-- Until next_from the broker checks verifier, from then on next_verifier: the device learns its new
-- secret before the old one ends. A revoked credential is suspended as well, so that whoever knows
-- nothing of revoked_at keeps its device out all the same. All in platform time.
alter table device_credentials
    add column next_verifier text,
    add column next_from timestamptz,
    add column revoked_at timestamptz,
    add check ((next_verifier is null) = (next_from is null)),
    add check (revoked_at is null or suspended_at is not null);

-- Codes that devices trade for their own credentials, each once; of a code only its SHA-256 is kept.
-- used_again_at: when somebody brought it after it had been used, for the first time. Platform time.
create table device_claims (
    claim_no bigint primary key generated always as identity,
    device_no integer not null references devices,
    code_hash bytea not null unique,
    made_at timestamptz not null,
    ends_at timestamptz not null,
    used_at timestamptz,
    withdrawn_at timestamptz,
    used_again_at timestamptz,
    check (ends_at > made_at),
    check (used_at is null or withdrawn_at is null),
    check (used_again_at is null or used_at is not null)
);
create unique index one_open_claim on device_claims (device_no) where used_at is null and withdrawn_at is null;
create index claims_used_again on device_claims (device_no) where used_again_at is not null;
