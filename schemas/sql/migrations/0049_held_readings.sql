-- Readings that another unit or a room-mate explains much better than that they are the person's, and what was decided.

-- One row a reading, (device_no, epoch, seq, item) of person_no; those of one measurement share measurement_id, and are
-- decided together. reason unit: the number is in unit, and meant is what it stands for; reason person: it fits
-- fits_person_no. times_better: how many times likelier. is_held: no rule has seen it; else it was scored at once, because
-- it may call for help, or because many in a row were held. is_mine, said_at: what the person has answered, and when;
-- their yes keeps it without a doctor. moved_to: whose it is, once it is moved. applied: the state that the stored
-- reading shows by now; score writes it.
create table held_readings (
    held_id uuid primary key,
    measurement_id uuid not null,
    home_no integer not null references homes,
    person_no integer not null references people,
    device_no integer not null references devices,
    epoch bigint not null,
    seq bigint not null,
    item smallint not null,
    vital smallint not null,
    value double precision not null,
    observed_at timestamptz not null,
    received_at timestamptz not null,
    reason text not null check (reason in ('unit', 'person')),
    unit text not null default '',
    meant double precision,
    fits_person_no integer references people,
    times_better double precision not null,
    is_held boolean not null,
    state text not null default 'open' check (state in ('open', 'kept', 'moved', 'dismissed')),
    moved_to integer references people,
    is_mine boolean,
    said_at timestamptz,
    decided_by integer references doctors,
    decided_at timestamptz,
    applied text check (applied in ('open', 'kept', 'moved', 'dismissed')),
    check ((reason = 'unit') = (unit <> '') and (reason = 'person') = (fits_person_no is not null)),
    check ((state = 'open') = (decided_at is null)),
    check ((state = 'open' or (state = 'kept' and coalesce(is_mine, false))) or decided_by is not null),
    check ((is_mine is null) = (said_at is null)),
    check ((state = 'moved') = (moved_to is not null))
);
create index held_readings_of_person on held_readings (person_no, observed_at);
create index held_readings_open on held_readings (person_no) where state = 'open';
create index held_readings_of_measurement on held_readings (measurement_id);
create index held_readings_to_apply on held_readings (received_at) where applied is distinct from state;

-- Whoever is asked who was measured may answer.
alter table asks
    drop constraint asks_outcome_check,
    add constraint asks_outcome_check
        check (outcome in ('measured', 'symptom', 'no_symptom', 'mine', 'not_mine', 'expired', 'nobody'));
