-- What is settled of each device, and everything that was rejected.

-- A cursor keeps its newest ranges in its row; the others are rows of their own, each written once,
-- so that a device which leaves a gap with every uplink does not have all of them written again
-- each time. boundary: what lies below it is put away, put_away ranges of it. refused: uplinks of
-- the epoch may lie among what was rejected unsettled.
-- A cursor is written with every batch its device is in. With room on its page the new version
-- stays there and no index is touched, hence the fill factor.
create table device_cursor (
    device_no integer not null,
    epoch bigint not null,
    settled int8multirange not null,
    floor bigint not null,
    rejected jsonb not null,
    last_received_at timestamptz not null,
    boundary bigint not null default 0,
    put_away integer not null default 0,
    refused boolean not null default false,
    primary key (device_no, epoch)
) with (fillfactor = 40);

create table settled_ranges (
    device_no integer not null,
    epoch bigint not null,
    first_seq bigint not null,
    end_seq bigint not null check (end_seq > first_seq),
    primary key (device_no, epoch, first_seq)
);

-- All that is settled, wherever it lies.
create view device_settled as
select cursors.device_no, cursors.epoch, cursors.settled + coalesce((
    select range_agg(int8range(away.first_seq, away.end_seq)) from settled_ranges away
    where away.device_no = cursors.device_no and away.epoch = cursors.epoch
), '{}') as settled, cursors.floor, cursors.rejected, cursors.last_received_at
from device_cursor cursors;

-- Item -1 is a whole uplink. An uplink without identity is known by its place on the bus: device_no
-- 0, epoch = partition, seq = offset. observed_at and flags are kept of an item of which only the
-- person is missing, so that it can be assigned; null where more is missing.
create table rejected (
    device_no integer not null,
    epoch bigint not null,
    seq bigint not null,
    item smallint not null,
    device text not null,
    reason text not null,
    field text not null,
    raw bytea not null,
    received_at timestamptz not null,
    observed_at timestamptz,
    flags integer,
    primary key (device_no, epoch, seq, item)
);
create index rejected_by_time on rejected (received_at);

-- Rows whose bytes are trimmed when a device has many of them a day, rows that are forgotten in
-- time, and rows that can be assigned.
create index rejected_with_bytes on rejected (received_at)
where raw <> '' and reason <> 'unattributed';
create index rejected_forgettable on rejected (received_at) where reason <> 'unattributed';
create index rejected_nobodys on rejected (device_no, observed_at) where reason = 'unattributed';
