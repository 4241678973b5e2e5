-- NEWS2 of people at quarter hours: a trend with its inputs.

-- Written by score at each quarter hour before which something was measured, so at most 96 a day; written again where a
-- late reading changes it. Points are null of what is not known; oxygen is null while air is assumed. inputs are by
-- parameter {value, at (ms)}, of those that are fresh. As in score_days, a person may be one that the register does not
-- know any more.
create table news2_evaluations (
    person_no integer not null,
    at timestamptz not null,
    total smallint not null check (total between 0 and 20),
    respiratory_rate smallint,
    spo2 smallint,
    oxygen smallint,
    systolic smallint,
    pulse smallint,
    consciousness smallint,
    temperature smallint,
    spo2_scale smallint not null check (spo2_scale in (1, 2)),
    inputs jsonb not null,
    primary key (person_no, at)
);
