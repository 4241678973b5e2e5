-- Devices' credentials at the broker, devices that were taken away, and who changed the register by command.

-- What the broker keeps of a device's secret; the secret itself is shown once and kept nowhere. A
-- suspended one stays, and the broker does not let it in. issued_at and suspended_at are platform
-- time.
create table device_credentials (
    device_no integer primary key references devices,
    verifier text not null,
    issued_at timestamptz not null,
    suspended_at timestamptz
);

-- Taken away for good: its row stays, for what it has measured, and nobody listens to it any more.
alter table devices add column removed_at timestamptz;

-- Who changed what. changed_at is platform time, recorded_at the machine's own; subject is the id of
-- what was changed; changed_by is the login of whoever gave the command, or the name they gave.
create table register_changes (
    change_no bigint primary key generated always as identity,
    changed_at timestamptz not null,
    recorded_at timestamptz not null,
    changed_by text not null check (changed_by <> ''),
    command text not null,
    subject text not null,
    details jsonb not null
);
create trigger register_changes_are_append_only before update or delete or truncate on register_changes
for each statement execute function refuse_audit_change();
