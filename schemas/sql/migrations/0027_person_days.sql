-- Score: what belongs to a person and not to a home, and what time it is by a partition's log.

-- Written when an hour or a day of the person closes, by the home that they live in; revision counts the writings, so
-- that two homes that knew the same person lose nothing of each other. As in score_state, a person may be one that
-- the register does not know any more.
create table score_days (
    person_no integer primary key,
    home_no integer not null references homes,
    revision integer not null,
    state json storage external not null
);

alter table score_positions add column log_time json;
