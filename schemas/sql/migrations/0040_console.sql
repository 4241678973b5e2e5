-- The doctor's console: who cares for whom, sessions, sign-in attempts and the audit trail.

-- Whether a doctor cares for a person (or, with person 0, for anybody of the home) at a moment.
create function in_care(p_doctor integer, p_person integer, p_home integer, p_at timestamptz) returns boolean
language sql stable
return exists (
    select from care_relations care join people using (person_no)
    where care.doctor_no = p_doctor and care.valid @> p_at
      and (people.person_no = p_person or (p_person = 0 and people.home_no = p_home))
);

-- Sessions live in real time. Only the hash of the cookie is kept.
create table sessions (
    session_hash bytea primary key,
    doctor_no integer not null references doctors,
    csrf_token text not null,
    opened_at timestamptz not null,
    seen_at timestamptz not null,
    ends_at timestamptz not null
);
create index sessions_by_doctor on sessions (doctor_no);

-- The account is a hash, because people type passwords into the wrong field. Real time.
create table sign_in_attempts (
    attempt_no bigint primary key generated always as identity,
    account bytea not null,
    address text not null,
    attempted_at timestamptz not null,
    outcome text not null check (outcome in ('failed', 'refused', 'succeeded'))
);
create index sign_in_attempts_by_account on sign_in_attempts (account, attempted_at);
create index sign_in_attempts_by_address on sign_in_attempts (address, attempted_at);

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

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
    raise exception 'table % is append-only', tg_table_name using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_is_append_only before update or delete or truncate on audit
for each statement execute function refuse_audit_change();
