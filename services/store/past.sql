-- name: begin_past
-- A cursor of epoch $1 for each device, heard at $2; nothing of it is settled yet.
insert into device_cursor (device_no, epoch, settled, floor, rejected, last_received_at)
select device_no, $1, '{}', 0, '[]', $2 from devices where removed_at is null order by device_no
on conflict do nothing;

-- name: note_past
-- Rows of epoch $1, received up to $2, came by no log.
insert into filled_pasts (epoch, received_until) values ($1, $2) on conflict do nothing;
