-- Alerts: what they are about, when people are notified again, who has acknowledged them.

-- opened_at is when it last became open. Closed: acknowledged, and every episode has ended.
create table alerts (
    alert_id uuid primary key,
    home_no integer not null references homes,
    person_no integer not null,
    rule text not null,
    severity smallint not null,
    level smallint not null check (level > 0),
    state text not null check (state in ('open', 'acknowledged', 'closed')),
    episode integer not null,
    episodes integer not null default 1,
    active_episodes integer[] not null,
    opened_at timestamptz not null,
    condition_at timestamptz not null,
    doctor_text text not null,
    caregiver_text text not null,
    rationale text not null,
    unverified boolean not null default false,
    ended_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by integer references doctors,
    acknowledged_note text,
    closed_at timestamptz,
    version integer not null default 1,
    check ((ended_at is null) = (cardinality(active_episodes) > 0)),
    check ((closed_at is not null) = (state = 'closed')),
    check (state = 'open' or acknowledged_at is not null)
);
create unique index one_live_alert on alerts (home_no, person_no, rule) where state <> 'closed';
create index alerts_by_person on alerts (person_no, opened_at);
create index alerts_by_time on alerts (opened_at, alert_id);

create table alert_findings (
    finding_id uuid primary key references findings,
    alert_id uuid not null references alerts
);
create index alert_findings_by_alert on alert_findings (alert_id);

-- Append-only. doctor_no null: the platform.
create table alert_audit (
    audit_no bigint primary key generated always as identity,
    alert_id uuid not null references alerts,
    at timestamptz not null,
    doctor_no integer references doctors,
    what text not null,
    from_state text,
    to_state text not null,
    level smallint not null,
    note text
);
create index alert_audit_by_alert on alert_audit (alert_id, audit_no);

create function refuse_alert_audit_change() returns trigger language plpgsql as $$
begin
    raise exception 'table % is append-only', tg_table_name
        using errcode = 'insufficient_privilege';
end
$$;
create trigger alert_audit_is_append_only before update or delete or truncate on alert_audit
for each statement execute function refuse_alert_audit_change();

-- One row per time that people are notified. Due on the platform's clock; repeat 0 comes with a
-- finding.
create table escalation_steps (
    alert_id uuid not null references alerts,
    step integer not null,
    repeat integer not null default 0,
    due_at timestamptz not null,
    state text not null check (state in ('pending', 'done', 'cancelled')),
    primary key (alert_id, step)
);
create index escalation_steps_pending on escalation_steps (due_at) where state = 'pending';
create unique index one_pending_step on escalation_steps (alert_id) where state = 'pending';
