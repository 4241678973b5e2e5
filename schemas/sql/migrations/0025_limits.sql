-- The limits of rules as versions of rows, each with its source and author; and the conditions of people.

-- For everybody, for the platform's region, for people with a condition (of either), or for one person. A version holds
-- from valid_from until the next one of the same people and concern; withdrawn: what is less specific holds again.
-- Rows are added and never changed. levels: level 1 first, each {on, inclusive, persist_min, severity}.
create table limits (
    limit_no integer primary key generated always as identity,
    person_no integer references people,
    region boolean not null default false,
    condition text,
    concern text not null,
    levels jsonb not null check (jsonb_typeof(levels) = 'array'),
    off double precision not null,
    clear_min double precision not null,
    withdrawn boolean not null default false,
    source text not null,
    signed_off_by text not null default '',
    author text not null,
    valid_from timestamptz not null,
    written_at timestamptz not null,
    check (person_no is null or (condition is null and not region)),
    unique nulls not distinct (person_no, region, condition, concern, valid_from)
);

-- What a doctor says of a person, so that other limits hold for them.
create table person_conditions (
    condition_no integer primary key generated always as identity,
    person_no integer not null references people,
    condition text not null,
    valid tstzrange not null check (not isempty(valid)),
    source text not null,
    author text not null,
    exclude using gist (person_no with =, condition with =, valid with &&)
);
