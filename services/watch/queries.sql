-- name: watermark
-- How far store and score have come; null when that is not known.
select received_at from watermark;

-- name: clock
-- What time the database server's machine has.
select clock_timestamp();

-- name: overdue
-- What should have been done: due before $1 (platform), before $2 (real), before $3 (what the watermark allows).
-- A notification whose last attempt met a server that refuses us is one at once: trying again mends nothing, operators can.
select 'step_overdue' as kind, count(*) as items, min(s.due_at) as oldest_at
from escalation_steps s join alerts a using (alert_id)
where s.state = 'pending' and s.due_at < $1 and a.state = 'open' and a.ended_at is null
union all
select 'finding_unclaimed', count(*), min(raised_at) from findings where claimed_at is null and raised_at < $1
union all
select 'notification_unsent', count(*), min(created_at) from notifications o
-- A pending one waits for its next attempt, one that is being sent for the end of its lease, a held one for quiet hours.
where state = 'held' and held_until < $1 or state in ('pending', 'sending') and (
    case state when 'pending' then retry_at else leased_until end < $2
    or exists (
        select from notification_attempts n
        where (n.alert_id, n.step, n.doctor_no, n.channel) = (o.alert_id, o.step, o.doctor_no, o.channel)
          -- While an attempt is under way it has no outcome yet: the one before it counts.
          and n.attempt = o.attempts - case o.state when 'sending' then 1 else 0 end and n.reason = 'refuses_us'
    )
)
union all
select 'check_overdue', count(*), min(due_at)
from (
    select due_at from fall_checks where decided_at is null and ended_at is null and due_at < $3
    union all
    select lying_at from fall_checks where ended_at is null and lying_at < $3
    union all
    select due_at from sos_calls where ended_at is null and due_at < $3
    union all
    select due_at from look_backs where due_at < $3
    union all
    select missed_at from doses_in_force where state in ('pending', 'reminded') and missed_at < $3
) as due
union all
select 'command_unsent', count(*), min(created_at) from commands
where sent_at is null and created_at < $1 and expires_at > $1
union all
select 'audit_unsealed', count(*), min(appended_at) from audit.unsealed where appended_at < $2;

-- name: people_without_recipient
-- How many people are monitored at $1 about whom nobody would be notified.
select count(*) from people_without_recipient($1);

-- name: doubted_claims
-- Of how many devices a code was brought twice, which at $1 have what the first one got, and are not suspended.
select count(*) from device_claims join device_credentials using (device_no)
where used_again_at >= case when next_from <= $1 then next_from else issued_at end and suspended_at is null;

-- name: happened
-- Counters of the database: a rise is an incident.
select 'notification_failed' as kind, (select count(*) from notifications where state = 'failed') as value
union all
select 'key_conflict', (select coalesce(sum(conflicts), 0) from key_conflicts);

-- name: floods
-- Devices that sent more than they may since $1.
select device, throttled from throttled_devices where last_at >= $1 order by device limit 20;

-- name: junk
-- Devices of which more than $2 items were rejected since $1.
select device, count(*) as items from rejected where received_at >= $1 group by device having count(*) > $2
order by count(*) desc limit 20;

-- name: notification_queue
-- How full the server's queue of notifications is, 0 to 1. A full one refuses every commit that notifies. To ask also
-- lets the server drop what everybody has heard, which a full queue does not do by itself.
select pg_notification_queue_usage();

-- name: end_old_viewers
-- Ends viewers' sessions, in whatever database, whose transaction began before $1 (real): it keeps the queue from
-- emptying, and vacuum from working. The function may end nobody else's.
select login, ended from end_old_viewers($1);

-- name: live_incidents
-- Incidents that are open, or of whose end nobody was notified yet.
select incident_id, kind, subject, detail, opened_at, last_seen_at, ended_at, notified_at, end_notified_at
from platform_incidents where ended_at is null or notified_at is not null and end_notified_at is null;

-- name: save_incident
-- An incident as it is now.
insert into platform_incidents
    (incident_id, kind, subject, detail, opened_at, last_seen_at, ended_at, notified_at, end_notified_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (incident_id) do update set
    detail = excluded.detail, last_seen_at = excluded.last_seen_at, ended_at = excluded.ended_at,
    notified_at = excluded.notified_at, end_notified_at = excluded.end_notified_at;

-- name: counters
-- The last value seen of each counter.
select counter, value from watch_counters;

-- name: save_counters
-- The values seen now.
insert into watch_counters (counter, value) select * from unnest($1::text[], $2::bigint[])
on conflict (counter) do update set value = excluded.value;

-- name: take_leader_lock
-- Whether we are the one watch at work, from now until this connection ends.
select pg_try_advisory_lock(7001067);
