-- name: finding
-- Everything that is stored of a finding, of whichever variant.
select *, 'live' as variant from (
    select finding_id, person_no, home_no, rule, rule_version, episode, level, severity, observed_at, raised_at, evidence,
           doctor_text, caregiver_text, rationale, unverified, message, facts, end_reason, retrospective, concern,
           looked_back, artefact, known_by
    from findings where finding_id = $1
) live
union all
select *, 'shadow' from (
    select finding_id, person_no, home_no, rule, rule_version, episode, level, severity, observed_at, raised_at, evidence,
           doctor_text, caregiver_text, rationale, unverified, message, facts, end_reason, retrospective, concern,
           looked_back, artefact, known_by
    from shadow_findings where finding_id = $1
) tried;

-- name: readings_of_home
-- What the devices of a home $1 measured, of vitals $2, received from $3 to $4; what a doctor has moved since is whose it
-- was taken to be. In no order.
with anybody as (
    select person_no from people where home_no = $1
    union select b.person_no from bindings b join devices d using (device_no) where d.home_no = $1
)
select r.item, coalesce(h.person_no, r.person_no) as person_no, r.vital, r.value, r.flags, r.device_no, r.epoch, r.seq,
       d.device, d.device_type, d.home_no, d.shard, round(extract(epoch from r.observed_at) * 1000)::bigint as observed_ms,
       round(extract(epoch from r.received_at) * 1000)::bigint as received_ms
from readings r join devices d using (device_no)
left join held_readings h on h.moved_to = r.person_no and h.state = 'moved'
    and (h.device_no, h.epoch, h.seq, h.item) = (r.device_no, r.epoch, r.seq, r.item)
where d.home_no = $1 and r.person_no = any (array(select person_no from anybody)) and r.vital = any ($2::smallint[])
  and r.received_at >= $3 and r.received_at <= $4
  -- Nothing is stored that is older, or stamped later: so only some of its parts are read.
  and r.observed_at >= $3 - interval '31 days' and r.observed_at <= $4 + interval '5 minutes';

-- name: events_of_home
-- The same of events.
select e.item, e.person_no, e.kind, e.details, e.flags, e.device_no, e.epoch, e.seq, d.device, d.device_type, d.home_no,
       d.shard, round(extract(epoch from e.observed_at) * 1000)::bigint as observed_ms,
       round(extract(epoch from e.received_at) * 1000)::bigint as received_ms
from device_events e join devices d using (device_no)
where d.home_no = $1 and e.received_at >= $2 and e.received_at <= $3;

-- name: heard_of_home
-- Uplinks of which something was rejected: they were heard, if with nothing to judge. Not those left with the device.
select distinct x.device_no, x.epoch, x.seq, d.device, d.device_type, d.home_no, d.shard,
       round(extract(epoch from x.received_at) * 1000)::bigint as received_ms
from rejected x join devices d using (device_no)
where d.home_no = $1 and x.received_at >= $2 and x.received_at <= $3 and x.epoch >= 0 and x.reason <> all ($4::text[]);

-- name: first_received
-- When anything of a home was received first, from $2 on.
select least(
    (select min(r.received_at) from readings r join devices d using (device_no)
     where d.home_no = $1 and r.received_at >= $2 and r.observed_at >= $2 - interval '31 days'
       and r.person_no = any (array(
         select person_no from people where home_no = $1
         union select b.person_no from bindings b join devices d using (device_no) where d.home_no = $1))),
    (select min(e.received_at) from device_events e where e.home_no = $1 and e.received_at >= $2)
) as received_at;

-- name: filled_pasts
-- What came by no log.
select epoch, round(extract(epoch from received_until) * 1000)::bigint as until_ms from filled_pasts;

-- name: numbers_given_out
-- The highest number of each rule and person of home $1 that was given out elsewhere, or before $2.
select person_no, rule, max(episode) as episode from (
    select person_no, home_no, rule, episode, raised_at from findings
    where person_no = any (array(select person_no from people where home_no = $1)) or (person_no = 0 and home_no = $1)
    union all
    select person_no, home_no, rule || '|shadow', episode, raised_at from shadow_findings
    where person_no = any (array(select person_no from people where home_no = $1))
) given_out
where episode > 0 and raised_at < $2
group by person_no, rule;

-- name: findings_of_fall
-- What was said of a fall, in that order.
select finding_id, raised_at, observed_at, known_by, level, end_reason, unverified from findings
where rule = $1 and person_no = $2 and home_no = $3 and episode = $4 order by raised_at, level = 0, observed_at;

-- name: people_of_home
-- Who lives there.
select person_no from people where home_no = $1;

-- name: step_totals
-- Devices whose steps are a running total.
select device_no from step_totals;

-- name: silence
-- What was noted of a silence; of a home's, the device that was heard last before it, and the first after it.
select s.*,
       (select max(r.received_at) from readings r join bindings b using (person_no, device_no)
        where b.device_no = s.device_no and r.device_no = s.device_no
          and r.received_at > s.last_heard_at and r.received_at < s.silent_at) as heard_between
from silences s where s.home_no = $1 and s.person_no = $2 and s.episode = $3;

-- name: looks_of_rule
-- The looks back of a rule on somebody, in their order.
select look_no, person_no, home_no, rule, first_at, last_at, received_at, worn_since, received_by, done_at
from looks_done where person_no = $1 and rule = $2 and done_at <= $3 order by look_no;

-- name: findings_known_to_look
-- What a look back of $4, over what was received by $5, knew of the rule, as findings_of_rule gives it.
select home_no, rule_version, episode, level, severity, observed_at, evidence, end_reason, retrospective,
       coalesce(concern, '') as concern
from findings where person_no = $1 and rule = $2 and observed_at >= $3 and raised_at <= $4
  and not (looked_back and coalesce(known_by >= $5, false))
order by raised_at, episode, level = 0, level, observed_at;
