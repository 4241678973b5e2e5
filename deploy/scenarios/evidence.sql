-- name: findings
-- What rules and plans have said. person_id null: about the home.
select f.finding_id::text, h.home_id::text, p.person_id::text, f.rule, f.episode, f.level, f.severity,
       (extract(epoch from f.observed_at) * 1000)::bigint as observed_at,
       (extract(epoch from f.raised_at) * 1000)::bigint as raised_at, f.doctor_text, f.caregiver_text,
       f.end_reason, f.retrospective
from findings f join homes h using (home_no) left join people p on p.person_no = f.person_no
order by f.raised_at, f.episode, f.level;

-- name: alerts
-- Every alert, with the severity that each of its levels has.
select a.alert_id::text, h.home_id::text, p.person_id::text, a.rule, a.state,
       (select jsonb_object_agg(f.level::text, f.severity) from alert_findings l join findings f using (finding_id)
        where l.alert_id = a.alert_id and f.level > 0) as severities
from alerts a join homes h using (home_no) left join people p on p.person_no = a.person_no;

-- name: trail
-- What happened to alerts.
select t.alert_id::text, (extract(epoch from t.at) * 1000)::bigint as at, t.what, t.to_state, t.level
from alert_audit t order by t.audit_no;

-- name: states
-- How every alert stands now.
select h.home_id::text, p.person_id::text, a.rule, a.state
from alerts a join homes h using (home_no) left join people p on p.person_no = a.person_no;

-- name: doses
-- What the ledger says now.
select plan_id::text, (extract(epoch from due_at) * 1000)::bigint as due_at, state from doses_in_force;

-- name: items
-- What became of each of these readings: flags of a stored one, the reason of a rejected one.
select asked.place, stored.flags, refused.reason
from unnest($1::integer[], $2::text[], $3::bigint[], $4::bigint[], $5::integer[])
     as asked (place, device, epoch, seq, item)
join devices d on d.device = asked.device
left join lateral (
    select r.flags from readings r
    where r.device_no = d.device_no and r.epoch = asked.epoch and r.seq = asked.seq and r.item = asked.item
    limit 1
) stored on true
left join lateral (
    select r.reason from rejected r
    where r.device_no = d.device_no and r.epoch = asked.epoch and r.seq = asked.seq and r.item in (asked.item, -1)
    limit 1
) refused on true;

-- name: coverage
-- Which minutes of each vital of people were watched.
select p.person_id::text, c.vital, (extract(epoch from c.hour) * 1000)::bigint as hour, c.watched
from coverage c join people p using (person_no);

-- name: unwritten
-- How many partitions' checkpoints are older than what score has passed.
select count(*) from (
    select partition_no, max(received_at) as received_at from watermarks where consumer = 'score' group by partition_no
) passed
left join score_positions p using (partition_no) where p.passed_at is null or p.passed_at < passed.received_at;
