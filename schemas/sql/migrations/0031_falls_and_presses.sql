-- Score: the minute to answer a fall runs from when the platform heard of it, if that is later; what is said of a fall
-- or a call is numbered; whoever lies on has more said of it.

-- received_at is null of checks from before. lying_at is when it is said next that nobody has got up; null: nothing is.
alter table fall_checks
    add column received_at timestamptz,
    add column said integer not null default 0,
    add column lying_at timestamptz;
create index fall_checks_lying on fall_checks (lying_at) where ended_at is null and lying_at is not null;

-- said numbers the newest press, or the end.
alter table sos_calls add column said integer not null default 1;
