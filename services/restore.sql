-- name: positions
-- How far store and score have come in the log, as this database knows it.
select partition_no, max(position) filter (where consumer = 'store') as store,
       max(position) filter (where consumer = 'score') as score
from (
    select partition_no, position, 'store' as consumer from store_positions
    union all
    select partition_no, position, 'score' from score_positions
) as known
group by partition_no;

-- name: raise_generation
-- Devices obey a lower `upto` from now on; store takes this cluster for the right one. Notifications of what was before are
-- marked as possible repetitions.
-- Seconds of Unix time, so that two restores of one backup never give the same generation.
update platform set generation = greatest(generation + 1, $1), cluster = current_cluster(), restored_at = $2
returning generation;

-- name: set_store_position
-- Where the rows of store end, or the log begins.
insert into store_positions (partition_no, position) values ($1, $2)
on conflict (partition_no) do update set position = excluded.position;

-- name: end_sessions
-- A session that was ended after the backup must not live again, nor half a sign-in or a link to set a password.
with waiting as (delete from pending_sign_ins), links as (delete from password_resets)
delete from sessions;

-- name: doubt_notifications
-- They may have been sent after the backup.
update notifications set possible_duplicate = true where state in ('pending', 'sending', 'held');

-- name: doubt_lists
-- So may morning lists.
update morning_list_sendings set possible_duplicate = true where state in ('pending', 'sending');

-- name: skip_numbers
-- Numbers given out after the backup are in the log: they are never given to anybody else.
select setval('homes_home_no_seq', nextval('homes_home_no_seq') + $1),
       setval('people_person_no_seq', nextval('people_person_no_seq') + $1),
       setval('devices_device_no_seq', nextval('devices_device_no_seq') + $1);

-- name: cursors
-- Every cursor with its device; of two epochs of one device the one heard last comes last.
select d.device, d.shard, c.device_no, c.epoch, c.settled, c.floor, c.rejected
from device_settled c join devices d using (device_no)
order by c.last_received_at, c.device_no, c.epoch;

-- name: devices
-- Every device that can get an ack.
select device, shard from devices;
