-- name: person
-- Whom it is about.
select person_no, person_id, home_no from people where person_id = $1;

-- name: watermark
-- How far everything has come; null where nothing ever came through.
select received_at from watermark;

-- name: devices
-- Every slot that is, will be or was the person's, with what is known of its device.
select device, device_type, slot, lower(valid) as from_at, upper(valid) as until_at, removed_at,
       credential.device_no is not null as has_credential, suspended_at,
       (select max(last_received_at) from device_cursor c where c.device_no = d.device_no) as heard_at,
       case when said.state = 'offline' then said.since end as offline_at, said.leaving
from bindings b
join devices d using (device_no)
left join device_status said using (device_no)
left join device_credentials credential using (device_no)
where b.person_no = $1
order by device, slot, from_at;

-- name: heard_in_home
-- How many devices of the home there are, and when any of them was heard last.
select count(*) as devices, max(heard.at) as heard_at
from devices d
left join lateral (
    select max(last_received_at) as at from device_cursor c where c.device_no = d.device_no
) heard on true
where d.home_no = $1 and d.removed_at is null;

-- name: newest_readings
-- Of each vital the readings since $2, the newest last.
select vital, observed_at, received_at, value, flags, device_no, epoch, seq, item
from readings where person_no = $1 and observed_at >= $2 and observed_at <= $3
order by vital, observed_at, device_no, epoch, seq, item;

-- name: last_readings
-- Of each vital the newest reading, however old.
select distinct on (vital) vital, observed_at, received_at, value, flags
from readings where person_no = $1 and observed_at >= $2
order by vital, observed_at desc;

-- name: rejections
-- What was rejected of the person's devices since $2, by device and reason.
select device, reason, count(*) as items, max(received_at) as last_at,
       (array_agg(field order by received_at desc))[1] as field
from rejected where device = any ($1::text[]) and received_at >= $2
group by device, reason order by last_at desc;

-- name: throttled
-- Devices that were held to their allowance since $2.
select device, throttled, last_at from throttled_devices where device = any ($1::text[]) and last_at >= $2;

-- name: recipients
-- Who cares for the person now, over which channels they are notified, and whether alert has these.
select doctors.email, held.channel,
       not exists (select from notification_channels)
       or exists (select from notification_channels one where one.channel = held.channel) as works
from care_relations care
join doctors using (doctor_no)
left join contact_addresses held using (doctor_no)
where care.person_no = $1 and care.valid @> $2::timestamptz
order by email, channel;

-- name: alerts
-- Alerts that are not closed, with their notifications.
select alert_id, rule, state, level, opened_at, acknowledged_at, ended_at,
       (select max(sent_at) from notifications sent where sent.alert_id = alerts.alert_id) as sent_at,
       (
           select count(*) from notifications failed
           where failed.alert_id = alerts.alert_id and failed.state = 'failed'
       ) as failed,
       (
           select count(*) from notifications waiting
           where waiting.alert_id = alerts.alert_id and waiting.state in ('pending', 'sending')
       ) as waiting,
       (
           select count(*) from notifications held where held.alert_id = alerts.alert_id and held.state = 'held'
       ) as held
from alerts where person_no = $1 and home_no = $2 and state <> 'closed' order by opened_at;

-- name: findings
-- What was found since $2, the newest first.
select rule, level, observed_at, raised_at from findings
where person_no = $1 and raised_at >= $2 order by raised_at desc limit 20;
