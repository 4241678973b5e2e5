-- What an operator's panels may read: counts and times of the platform, nothing of a person.
create view operator_platform as
select platform.generation, platform.bus_partitions,
       coalesce(
           (select extversion::text from pg_extension where extname = 'timescaledb'), 'none'
       ) as timescaledb,
       (select received_at from watermark) as watermark_at,
       (select min(received_at) from counted_watermarks where consumer = 'store') as stored_up_to,
       (select min(received_at) from counted_watermarks where consumer = 'score') as scored_up_to,
       (select coalesce(sum(conflicts), 0) from key_conflicts) as key_conflicts
from platform;

create view operator_waiting as
select 'findings to become alerts' as what, count(*) as items, min(raised_at) as oldest_at
from findings where claimed_at is null
union all
select 'notifications to send', count(*), min(created_at)
from notifications where state in ('pending', 'sending')
union all
select 'commands to devices', count(*), min(created_at) from commands where sent_at is null
union all
select 'escalation steps', count(*), min(due_at) from escalation_steps where state = 'pending'
union all
select 'doses without an outcome', count(*), min(due_at)
from doses where state in ('pending', 'reminded');

create view operator_notifications as
select channel, state, count(*) as notifications, sum(attempts) as attempts,
       max(created_at) as newest_at
from notifications group by channel, state;

create view operator_alerts as
select severity, state, count(*) as alerts, min(opened_at) as oldest_at
from alerts where state <> 'closed' group by severity, state;

create view operator_incidents as
select kind, subject, detail, opened_at, ended_at, notified_at from platform_incidents;

create function operator_rejected(since timestamptz, until timestamptz)
returns table (reason text, items bigint, devices bigint)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    select rejected.reason, count(*), count(distinct rejected.device)
    from rejected
    where rejected.received_at >= since and rejected.received_at < until
    group by rejected.reason
    order by count(*) desc, rejected.reason;
end;

-- Uplinks, readings and events by the minute of their reception. Nothing older than 30 days is
-- accepted, nor anything more than two minutes ahead, so a stamp outside of that can't belong to
-- the range.
create function operator_traffic(since timestamptz, until timestamptz)
returns table (
    minute_at timestamptz, uplinks bigint, readings bigint, events bigint, rejected bigint
)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    select date_trunc('minute', uplink.received_at) as minute, count(*),
           sum(uplink.readings)::bigint, sum(uplink.events)::bigint, sum(uplink.rejections)::bigint
    from (
        select item.received_at, sum(item.reading) as readings, sum(item.event) as events,
               sum(item.rejection) as rejections
        from (
            select stored.device_no, stored.epoch, stored.seq, stored.received_at,
                   1 as reading, 0 as event, 0 as rejection
            from readings stored
            where stored.received_at >= since and stored.received_at < until
              and stored.observed_at >= since - interval '30 days'
              and stored.observed_at <= until + interval '2 minutes'
            union all
            select device_events.device_no, device_events.epoch, device_events.seq,
                   device_events.received_at, 0, 1, 0
            from device_events
            where device_events.received_at >= since and device_events.received_at < until
            union all
            select rejected.device_no, rejected.epoch, rejected.seq, rejected.received_at, 0, 0, 1
            from rejected
            where rejected.received_at >= since and rejected.received_at < until
        ) item
        group by item.device_no, item.epoch, item.seq, item.received_at
    ) uplink
    group by minute
    order by minute;
end;

create function operator_devices(at_time timestamptz)
returns table (
    device_type text, registered bigint, heard_within_hour bigint, heard_within_day bigint
)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    select devices.device_type, count(*),
           count(*) filter (where heard.last_at > at_time - interval '1 hour'),
           count(*) filter (where heard.last_at > at_time - interval '1 day')
    from devices
    left join (
        select device_cursor.device_no, max(device_cursor.last_received_at) as last_at
        from device_cursor group by device_cursor.device_no
    ) heard on heard.device_no = devices.device_no
    group by devices.device_type
    order by devices.device_type;
end;

-- Beside what the caregivers' panels read already.
grant select on platform, watermark, counted_watermarks, key_conflicts, findings, notifications,
    commands, escalation_steps, rejected, device_events, device_cursor, platform_incidents
    to hearthbeat_panels;

alter view operator_platform owner to hearthbeat_panels;
alter view operator_waiting owner to hearthbeat_panels;
alter view operator_notifications owner to hearthbeat_panels;
alter view operator_alerts owner to hearthbeat_panels;
alter view operator_incidents owner to hearthbeat_panels;
grant select on operator_platform, operator_waiting, operator_notifications, operator_alerts,
    operator_incidents to hearthbeat_operator;

revoke all on function operator_rejected(timestamptz, timestamptz),
    operator_traffic(timestamptz, timestamptz), operator_devices(timestamptz) from public;
grant execute on function operator_rejected(timestamptz, timestamptz),
    operator_traffic(timestamptz, timestamptz), operator_devices(timestamptz)
    to hearthbeat_operator;
alter function operator_rejected(timestamptz, timestamptz) owner to hearthbeat_panels;
alter function operator_traffic(timestamptz, timestamptz) owner to hearthbeat_panels;
alter function operator_devices(timestamptz) owner to hearthbeat_panels;
