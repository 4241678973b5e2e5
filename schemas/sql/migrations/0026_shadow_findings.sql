-- What variants of rules find that are only tried: nobody is alerted by it, for alert reads the table findings alone.
create table shadow_findings (
    finding_id uuid primary key,
    person_no integer not null,
    home_no integer not null references homes,
    rule text not null,
    rule_version integer not null,
    episode integer not null,
    level smallint not null,
    severity smallint not null,
    observed_at timestamptz not null,
    raised_at timestamptz not null,
    evidence jsonb not null,
    doctor_text text not null,
    caregiver_text text not null,
    rationale text not null,
    unverified boolean not null,
    message text not null,
    facts jsonb not null,
    end_reason text check (end_reason in ('recovered', 'turned', 'disproved', 'no_data')),
    check (end_reason is null or level = 0)
);
create index shadow_findings_by_person on shadow_findings (person_no, rule, episode);
