-- name: write_channels
-- The channels that there are, so that others know whom no message can reach.
with gone as (
    delete from notification_channels where not channel = any ($1::text[])
)
insert into notification_channels select unnest($1::text[]) on conflict do nothing;

-- name: take_turn
-- One claimer at a time: findings of one subject are folded in the order in which they were raised.
select pg_advisory_xact_lock(7001043);

-- name: claim_findings
-- What no alert knows of yet. An end comes after what it ends.
select finding_id, person_no, home_no, rule, rule_version, episode, level, severity, observed_at,
       doctor_text, caregiver_text, rationale, unverified, end_reason, retrospective, coalesce(concern, '') as concern,
       (evidence -> 0 ->> 'device_no')::integer as device_no
from findings where claimed_at is null
-- False sorts before true, so level 0, an end, comes last of its episode; and a rule that rests on others ($2) after
-- them.
order by raised_at, rule = any ($2::text[]), episode, level = 0, level, observed_at
limit $1
for update skip locked;

-- name: mark_claimed
-- They are part of the alerts now.
update findings set claimed_at = $2 where finding_id = any($1::uuid[]);

-- name: live_alert
-- The alert of a subject and a concern that is not closed, if there is one; when people were last notified of it, and
-- when they will be again. Findings and alerts of before may know their rule ($4) alone: then the episode ($5) says
-- which alert it is.
select a.*, (select max(n.created_at) from notifications n where n.alert_id = a.alert_id) as notified_at,
       (select s.due_at from escalation_steps s where s.alert_id = a.alert_id and s.state = 'pending') as pending_due
from alerts a
where home_no = $1 and person_no = $2 and state <> 'closed'
  and (concern = $3 or rule = $4 and $5 = any (active_episodes) and (concern = $4 or $3 = $4))
order by concern <> $3
limit 1
for update;

-- name: alerts_that_go_on
-- Of these rules ($4), about the people that alerts ($1) are about: what is neither closed nor over.
select asked.alert_id, a.rule, a.active_severity
from unnest($1::uuid[], $2::integer[], $3::integer[]) as asked (alert_id, home_no, person_no)
join alerts a using (home_no, person_no)
where a.rule = any ($4::text[]) and a.state <> 'closed' and a.ended_at is null and cardinality(a.active_episodes) > 0;

-- name: open_alert
-- The first finding of a subject and a concern.
insert into alerts (alert_id, severity, level, active_severity, active_level, state, episode, episodes,
                    episodes_since_open, active_episodes, opened_at, condition_at, doctor_text, caregiver_text, rationale,
                    unverified, ended_at, closed_at, version, home_no, person_no, rule, concern, first_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24);

-- name: change_alert
-- What a later finding made of it. The acknowledgement is not this query's to change.
update alerts set
    severity = $2, level = $3, active_severity = $4, active_level = $5, state = $6, episode = $7, episodes = $8,
    episodes_since_open = $9, active_episodes = $10, opened_at = $11, condition_at = $12, doctor_text = $13,
    caregiver_text = $14, rationale = $15, unverified = $16, ended_at = $17, closed_at = $18, version = $19
where alert_id = $1;

-- name: link_finding
-- What the alert rests on.
insert into alert_findings (finding_id, alert_id) values ($1, $2);

-- name: audit
-- The platform did something to an alert.
insert into alert_audit (alert_id, at, what, from_state, to_state, level) values ($1, $2, $3, $4, $5, $6);

-- name: contacts
-- How the doctors can be notified of alerts ($1) who care, at this moment ($4), for the person, or for anybody in the home:
-- over which channels of $5, and their quiet hours.
with about as (
    select * from unnest($1::uuid[], $2::integer[], $3::integer[]) as asked (alert_id, home_no, person_no)
), cared as (
    select alert_id, p.person_no from about join people p using (person_no)
    union all
    select alert_id, p.person_no from about join people p using (home_no) where about.person_no = 0
)
select distinct cared.alert_id, held.doctor_no, held.channel, quiet.begins, quiet.ends, quiet.zone
from cared join care_relations c using (person_no) join contact_addresses held using (doctor_no)
left join quiet_hours quiet on quiet.doctor_no = held.doctor_no and quiet.valid @> $4::timestamptz
where c.valid @> $4::timestamptz and held.channel = any ($5::text[])
order by cared.alert_id, held.doctor_no, held.channel;

-- name: cancel_steps
-- What was planned of these alerts is not done any more.
update escalation_steps set state = 'cancelled' where alert_id = any ($1::uuid[]) and state = 'pending';

-- name: withdraw_held
-- Quiet hours hold what nobody needs any more.
update notifications set state = 'withdrawn', held_until = null where alert_id = any ($1::uuid[]) and state = 'held';

-- name: add_steps
-- The next step of each of these alerts, each there but once; gives their numbers. A step that is planned stays the only one.
insert into escalation_steps (alert_id, step, repeat, due_at, state, reason, suppressed)
select alert_id, (select coalesce(max(step), 0) + 1 from escalation_steps before where before.alert_id = added.alert_id),
       repeat, due_at, state, reason, suppressed
from unnest($1::uuid[], $2::integer[], $3::timestamptz[], $4::text[], $5::text[], $6::boolean[])
    as added (alert_id, repeat, due_at, state, reason, suppressed)
on conflict do nothing
returning alert_id, step;

-- name: withdraw_earlier
-- What is held of an alert is not needed once its doctor is notified anew over that channel, or that is held.
update notifications n set state = 'withdrawn', held_until = null
from unnest($1::uuid[], $2::integer[], $3::text[]) as queued (alert_id, doctor_no, channel)
where (n.alert_id, n.doctor_no, n.channel) = (queued.alert_id, queued.doctor_no, queued.channel) and n.state = 'held';

-- name: queue_notifications
-- Notifications, each to one doctor over one channel. What was before the database was restored may have been notified then.
insert into notifications (alert_id, step, doctor_no, channel, state, held_until, created_at, retry_at, possible_duplicate,
                           severity)
select queued.*, $7, $8, coalesce(a.condition_at <= p.restored_at, false), a.active_severity
from unnest($1::uuid[], $2::integer[], $3::integer[], $4::text[], $5::text[], $6::timestamptz[])
    as queued (alert_id, step, doctor_no, channel, state, held_until)
join alerts a using (alert_id) cross join platform p;

-- name: claim_steps
-- Steps that are due, each with its alert, unless that is answered, or nothing of it goes on.
select a.*, s.step, s.repeat, s.reason
from escalation_steps s join alerts a using (alert_id)
where s.state = 'pending' and s.due_at <= $1 and a.state = 'open' and a.ended_at is null
  and cardinality(a.active_episodes) > 0
order by s.due_at
limit $2
for update of a, s skip locked;

-- name: end_steps
-- What became of steps whose time has come.
update escalation_steps s set state = taken.state, suppressed = taken.suppressed
from unnest($1::uuid[], $2::integer[], $3::text[], $4::boolean[]) as taken (alert_id, step, state, suppressed)
where (s.alert_id, s.step) = (taken.alert_id, taken.step);

-- name: alerts_without_step
-- What waits for somebody and goes on, without anybody being notified again, as an older version left it. $1: rules of
-- which nobody is notified.
select a.*, (select max(n.created_at) from notifications n where n.alert_id = a.alert_id) as notified_at
from alerts a
where a.state = 'open' and a.ended_at is null and cardinality(a.active_episodes) > 0 and a.active_severity >= 2
  and not a.rule = any ($1::text[])
  and not exists (select from escalation_steps s where s.alert_id = a.alert_id and s.state = 'pending')
limit $2
for update of a skip locked;

-- name: release_held
-- What has been held until $1, or whose doctor has no quiet hours any more: to be sent at $2, or not needed any more.
with due as (
    select n.alert_id, n.step, n.doctor_no, n.channel,
           a.state = 'open' and a.ended_at is null and cardinality(a.active_episodes) > 0 as goes_on
    from notifications n join alerts a using (alert_id)
    where n.state = 'held' and (
        n.held_until <= $1
        or not exists (select from quiet_hours q where q.doctor_no = n.doctor_no and q.valid @> $1::timestamptz)
    )
    order by n.held_until
    limit $3
    for update of n skip locked
)
update notifications n
set state = case when due.goes_on then 'pending' else 'withdrawn' end, retry_at = $2, held_until = $1
from due
where (n.alert_id, n.step, n.doctor_no, n.channel) = (due.alert_id, due.step, due.doctor_no, due.channel)
returning n.alert_id, n.step, n.state;

-- name: withdraw_needless
-- What is due on a channel and repeats what somebody has answered meanwhile, or what has recovered or was not so.
with needless as (
    select n.alert_id, n.step, n.doctor_no, n.channel, n.attempts, n.state
    from notifications n join alerts a using (alert_id) join escalation_steps s using (alert_id, step)
    where n.channel = $1 and n.state in ('pending', 'sending')
      and (case n.state when 'pending' then n.retry_at else n.leased_until end) <= $2
      and s.reason = 'repeat'
      and (a.state <> 'open' or a.ended_at is not null or cardinality(a.active_episodes) = 0)
    for update of n skip locked
), lost as (
    update notification_attempts n set outcome = 'unknown', ended_at = $2
    from needless
    where needless.state = 'sending' and (n.alert_id, n.step, n.doctor_no, n.channel, n.attempt)
        = (needless.alert_id, needless.step, needless.doctor_no, needless.channel, needless.attempts)
)
update notifications n set state = 'withdrawn', leased_until = null
from needless
where (n.alert_id, n.step, n.doctor_no, n.channel)
    = (needless.alert_id, needless.step, needless.doctor_no, needless.channel)
returning n.alert_id;

-- name: claim_notifications
-- What is due on a channel, under a lease; a lease that ran out means that nobody knows whether it was sent.
with due as (
    select alert_id, step, doctor_no, channel, attempts, state
    from notifications
    where channel = $1 and state in ('pending', 'sending')
      and (case state when 'pending' then retry_at else leased_until end) <= $2
    order by retry_at
    limit $4
    for update skip locked
-- The process that held the lease is gone: how its attempt ended stays unknown.
), lost as (
    update notification_attempts n set outcome = 'unknown', ended_at = $2
    from due
    where due.state = 'sending' and (n.alert_id, n.step, n.doctor_no, n.channel, n.attempt)
        = (due.alert_id, due.step, due.doctor_no, due.channel, due.attempts)
), claimed as (
    update notifications o
    set state = 'sending', attempts = o.attempts + 1, leased_until = $3,
        possible_duplicate = o.possible_duplicate or due.state = 'sending'
    from due
    where (o.alert_id, o.step, o.doctor_no, o.channel) = (due.alert_id, due.step, due.doctor_no, due.channel)
    returning o.alert_id, o.step, o.doctor_no, o.attempts, o.possible_duplicate, o.severity,
              coalesce(o.held_until, o.created_at) as queued_at
), logged as (
    insert into notification_attempts
        (alert_id, step, doctor_no, channel, attempt, started_at, outcome, possible_duplicate)
    select alert_id, step, doctor_no, $1, attempts, $2, 'sending', possible_duplicate from claimed
)
select c.alert_id, c.step, c.doctor_no, c.attempts, c.possible_duplicate, c.queued_at,
       coalesce(c.severity, a.severity) as severity, s.reason, a.state, a.ended_at, a.episodes_since_open as times,
       a.opened_at, coalesce(d.time_zone, h.time_zone) as zone, coalesce(p.display_name, h.label) as name,
       a.doctor_text, coalesce(f.observed_at, a.condition_at) as observed_at,
       coalesce(f.raised_at, a.condition_at) as found_at, held.address, held.details,
       coalesce(held.language, 'en') as language,
       array(
           select sealed from receiver_secrets s
           where (s.doctor_no, s.channel) = (c.doctor_no, $1) and (s.ends_at is null or s.ends_at > $2)
           order by s.secret_no desc
       ) as sealed_secrets
from claimed c
join alerts a using (alert_id)
join escalation_steps s using (alert_id, step)
join doctors d using (doctor_no)
join homes h on h.home_no = a.home_no
left join people p on p.person_no = a.person_no
left join lateral (
    select news.observed_at, news.raised_at
    from alert_findings linked join findings news using (finding_id)
    where linked.alert_id = a.alert_id and news.level > 0
    order by news.raised_at desc, news.observed_at desc
    limit 1
) f on true
left join contact_addresses held on (held.doctor_no, held.channel) = (c.doctor_no, $1);

-- name: record_attempt
-- How an attempt went; nothing where its lease was lost meanwhile. After a refusal for good, whoever else is to be
-- notified of the same is tried at once: reachable says how many of them there are, or have been reached.
with done as (
    update notifications set state = $6, retry_at = coalesce($8, retry_at), leased_until = null, sent_at = $9
    where (alert_id, step, doctor_no, channel, attempts) = ($1, $2, $3, $4, $5) and state = 'sending'
    returning alert_id
), logged as (
    update notification_attempts n set ended_at = $7, outcome = $10, reason = $11
    from done
    where (n.alert_id, n.step, n.doctor_no, n.channel, n.attempt) = ($1, $2, $3, $4, $5)
), hastened as (
    update notifications other set retry_at = $7
    from done
    where $6 = 'failed' and (other.alert_id, other.step) = ($1, $2) and other.state = 'pending' and other.retry_at > $7
      and (other.doctor_no, other.channel) <> ($3, $4)
), audited as (
    insert into alert_audit (alert_id, at, what, from_state, to_state, level, note)
    select a.alert_id, $12, 'notification_failed', a.state, a.state, a.level, $4
    from done join alerts a using (alert_id) where $6 = 'failed'
)
select (select count(*) from done) as done,
       (
           select count(*) from notifications other
           where (other.alert_id, other.step) = ($1, $2) and (other.doctor_no, other.channel) <> ($3, $4)
             and other.state in ('pending', 'sending', 'sent', 'held')
       ) as reachable;
