-- Score: what a finding rests on besides stored readings and events, so that it can be computed again.

-- artefact: the fitted model that decided, as "kind version checksum"; '' where none did, null in findings of before.
-- known_by: of what is decided by a due row, how far what was known reached; null of what follows from a record itself,
-- which rests on what had been received by then.
alter table findings add column artefact text, add column known_by timestamptz;
alter table shadow_findings
    add column concern text,
    add column looked_back boolean not null default false,
    add column artefact text,
    add column known_by timestamptz;

-- A look back that was done: what was asked, and by when what it saw had been received. look_backs has those to come.
create table looks_done (
    look_no bigint primary key generated always as identity,
    person_no integer not null,
    home_no integer not null references homes,
    rule text not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    received_at timestamptz not null,
    worn_since jsonb not null,
    received_by timestamptz not null,
    done_at timestamptz not null
);
create index looks_done_by_person on looks_done (person_no, rule, look_no);

-- What was said with a silence, as it was known then: of a home, how many devices should have been heard; of a device,
-- when its connection ended by the clock at home ('' where that was not known), and whether it had said so itself.
alter table silences
    add column devices integer not null default 0,
    add column offline_at text not null default '',
    add column leaving boolean not null default false;

-- What was filled in under an epoch, and came by no log: score has counted its days and judged none of it.
create table filled_pasts (
    epoch bigint primary key,
    received_until timestamptz not null
);
