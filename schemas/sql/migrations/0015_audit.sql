-- Who saw or did what, and who said afterwards whose readings were; both append-only.
create function refuse_audit_change() returns trigger language plpgsql as $$
begin
    raise exception 'table % is append-only', tg_table_name
        using errcode = 'insufficient_privilege';
end
$$;

-- Who saw or did what. happened_at is platform time, recorded_at the machine's own.
create table audit (
    audit_no bigint primary key generated always as identity,
    happened_at timestamptz not null,
    recorded_at timestamptz not null,
    doctor_no integer,
    action text not null,
    allowed boolean not null,
    people integer[] not null,
    alert_id uuid,
    address text not null
);
create index audit_by_alert on audit (alert_id) where alert_id is not null;
create trigger audit_is_append_only before update or delete or truncate on audit
for each statement execute function refuse_audit_change();

-- Who said afterwards whose the readings of a device were. assigned_at is platform time,
-- recorded_at the machine's own.
create table assignments (
    assignment_no bigint primary key generated always as identity,
    assigned_at timestamptz not null,
    recorded_at timestamptz not null,
    device_no integer not null references devices,
    slot smallint not null,
    person_no integer not null references people,
    observed_from timestamptz not null,
    observed_until timestamptz not null,
    readings integer not null,
    events integer not null,
    assigned_by text not null check (assigned_by <> ''),
    reason text not null check (reason <> '')
);
create trigger assignments_are_append_only before update or delete or truncate on assignments
for each statement execute function refuse_audit_change();
