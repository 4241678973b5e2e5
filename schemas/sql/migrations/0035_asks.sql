-- What people are asked after a reading that needs a second one, or a word, and what came of it.

-- (device_no, epoch, seq, item) of the vital at observed_at is the reading. It may be measured again, or answered, from
-- due_at on, until open_until. command_id is null, and the outcome nobody, where no device could ask. settled_at is
-- when the outcome became known, answered_at when the answer was observed.
create table asks (
    ask_id uuid primary key,
    home_no integer not null references homes,
    person_no integer not null,
    kind text not null check (kind in ('measure_again', 'symptoms', 'who_was_measured')),
    vital smallint not null,
    device_no integer not null,
    epoch bigint not null,
    seq bigint not null,
    item smallint not null,
    observed_at timestamptz not null,
    asked_at timestamptz not null,
    due_at timestamptz not null,
    open_until timestamptz not null,
    command_id uuid,
    outcome text check (outcome in ('measured', 'symptom', 'no_symptom', 'expired', 'nobody')),
    answered_at timestamptz,
    settled_at timestamptz,
    check ((outcome is null) = (settled_at is null))
);
create index asks_of_person on asks (person_no, asked_at);
create index asks_open on asks (open_until) where outcome is null;

alter table commands
    drop constraint commands_kind_check,
    add constraint commands_kind_check check (kind in ('remind_dose', 'check_in', 'measure_again', 'who_was_measured'));
