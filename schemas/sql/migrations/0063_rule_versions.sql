-- Which fitted model decides a rule, and which is tried beside it, from when on; who said so, and why.

-- What score has found among its artefacts: name is "kind version checksum". is_shipped: it lies where a release puts it.
create table fitted_models (
    name text primary key,
    rule text not null,
    is_shipped boolean not null,
    seen_at timestamptz not null
);

-- From valid_from on, by the received clock, artefact runs in that place of the rule ('' : none in the shadow). change says
-- what was done: shipped (by a release), tried, ended, promoted, rolled_back. A doctor promotes and rolls back.
create table rule_versions (
    version_no integer primary key generated always as identity,
    rule text not null,
    variant text not null check (variant in ('live', 'shadow')),
    artefact text not null,
    change text not null check (change in ('shipped', 'tried', 'ended', 'promoted', 'rolled_back')),
    valid_from timestamptz not null,
    written_at timestamptz not null,
    doctor_no integer references doctors,
    author text not null,
    reason text not null,
    check (variant = 'shadow' or artefact <> ''),
    check (change not in ('promoted', 'rolled_back') or doctor_no is not null)
);
create index rule_versions_of_rule on rule_versions (rule, variant, valid_from);

-- How much each rule finds, live and in the shadow, over some days.
create index findings_by_rule on findings (rule, raised_at);
create index shadow_findings_by_rule on shadow_findings (rule, raised_at);
