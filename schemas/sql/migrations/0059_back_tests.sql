-- What other limits would have made of a person's past: asked by a doctor before they are saved, answered by score.

-- The limits that are tried stand in the columns of the table limits; reason is why, as typed so far. result: once it is
-- done; failed: why it can't be.
create table back_tests (
    back_test_id uuid primary key,
    person_no integer not null references people,
    concern text not null,
    levels jsonb not null check (jsonb_typeof(levels) = 'array'),
    off double precision not null,
    clear_min double precision not null,
    worse_by double precision not null,
    reason text not null default '',
    days smallint not null check (days between 1 and 90),
    asked_by integer not null references doctors,
    asked_at timestamptz not null,
    done_at timestamptz,
    failed text,
    result jsonb,
    check ((done_at is null) = (result is null and failed is null))
);
create index back_tests_open on back_tests (asked_at) where done_at is null;

-- How much of one is done, 0 to 1. Apart from it: whoever works on one holds its row until it is done.
create table back_test_progress (
    back_test_id uuid primary key references back_tests,
    share real not null check (share between 0 and 1)
);
