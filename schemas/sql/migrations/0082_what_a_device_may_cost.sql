-- Bounds to what one device can cost. A cursor keeps its newest ranges in its row; the others are rows of their own, each
-- written once, so that a device which leaves a gap with every uplink does not have all of them written again each time.
-- boundary: what lies below it is put away; refused: uplinks of the epoch may lie among what was rejected unsettled.
alter table device_cursor
    add column boundary bigint not null default 0,
    add column put_away integer not null default 0,
    add column refused boolean not null default false;
update device_cursor cursors set refused = true
where exists (
    select from rejected s where s.device_no = cursors.device_no and s.epoch = cursors.epoch and s.reason = 'seq_jump'
);

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

-- What an item lacks of which only the person is missing, so that it can be assigned: when it was observed and its flags.
-- Null in rows from before.
alter table rejected add column observed_at timestamptz, add column flags integer;

-- Rows whose bytes are trimmed when a device has many of them a day, and rows that are forgotten in time.
create index rejected_with_bytes on rejected (received_at) where raw <> '' and reason <> 'unattributed';
create index rejected_forgettable on rejected (received_at) where reason <> 'unattributed';
create index rejected_nobodys on rejected (device_no, observed_at) where reason = 'unattributed';
