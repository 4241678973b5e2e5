-- name: counted
-- How many there are of what an operator has registered, and what is going on.
select (select count(*) from homes) as homes,
       (select count(*) from people) as people,
       (select count(*) from doctors) as doctors,
       (select count(*) from devices where removed_at is null) as devices,
       (select count(*) from device_credentials where suspended_at is not null) as suspended,
       (select count(*) from alerts where state = 'open') as open_alerts,
       (select count(*) from people_without_recipient($1)) as without_recipient,
       (
           select count(*) from contact_addresses held
           where channel = 'webhook' and not exists (
               select from receiver_secrets s
               where (s.doctor_no, s.channel) = (held.doctor_no, held.channel) and s.ends_at is null
           )
       ) as unsigned_webhooks,
       (select count(*) from rejected where received_at >= $1::timestamptz - interval '1 hour') as rejected_last_hour,
       (select max(last_received_at) from device_cursor) as heard_at,
       (select received_at from watermark) as watermark;

-- name: incidents
-- What watch has found that is not over.
select kind, subject, opened_at from platform_incidents where ended_at is null order by opened_at;
