-- name: in_care
-- Whether a doctor cares for a person, or for anybody of a home, at a moment.
select in_care($1, $2, $3, $4);

-- name: write_audit
-- Adds a line to the audit trail.
insert into audit (happened_at, recorded_at, doctor_no, action, allowed, people, alert_id, address)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: find_person
-- A person and their home.
select person_no, person_id, display_name, born_on, home_no, home_id, label, time_zone
from people join homes using (home_no) where person_id = $1;

-- name: names_in_care
-- Everybody in a doctor's care, to look for names in.
select people.person_no, display_name from people_in_care($1, $2) care join people on people.person_no = care.person_no;

-- name: people_of
-- A page of the people in a doctor's care by name, after the person $4, of the numbers $5 where that is set, with what waits
-- for each. $4 leads nowhere unless the doctor cares for them or has done so. All of the past is searched only for those of
-- whom the last week holds nothing.
-- Readings with the flags $7 say nothing of when somebody was measured.
-- Materialized: the page is cut first, and the readings are looked up for its people alone.
with listed as materialized (
    select people.person_no, person_id, display_name, born_on, homes.label, time_zone
    from people_in_care($1, $2::timestamptz) care
    join people on people.person_no = care.person_no join homes on homes.home_no = care.home_no
    where ($5::integer[] is null or people.person_no = any ($5)) and ($4::uuid is null or (display_name, people.person_no) > (
        select last.display_name, last.person_no from people last
        where last.person_id = $4 and last.person_no in (select person_no from care_relations where doctor_no = $1)
    ))
    order by display_name, people.person_no limit $6
)
select listed.*, coalesce((
    select max(latest.observed_at) from unnest($3::smallint[]) as kind (vital) cross join lateral (
        select observed_at from readings
        where readings.person_no = listed.person_no and readings.vital = kind.vital
          and observed_at > $2::timestamptz - interval '7 days' and observed_at <= $2::timestamptz + interval '2 minutes'
          and flags & $7 = 0
        order by observed_at desc limit 1
    ) latest
), (
    select max(latest.observed_at) from unnest($3::smallint[]) as kind (vital) cross join lateral (
        select observed_at from readings
        where readings.person_no = listed.person_no and readings.vital = kind.vital
          and observed_at <= $2::timestamptz + interval '2 minutes' and flags & $7 = 0
        order by observed_at desc limit 1
    ) latest
)) as observed_at, waiting.alerts, waiting.severity, (
    select count(distinct measurement_id) from held_readings h where h.person_no = listed.person_no and h.state = 'open'
) as doubted
from listed
cross join lateral (
    select count(*) as alerts, max(severity) as severity from alerts
    where alerts.person_no = listed.person_no and alerts.state = 'open'
) waiting
order by display_name, listed.person_no;

-- name: zones_of
-- The time zones of the homes in a doctor's care.
select distinct time_zone from care_relations care join people using (person_no) join homes using (home_no)
where care.doctor_no = $1 and care.valid @> $2::timestamptz limit 2;

-- name: latest_vitals
-- The newest reading of each vital of a person, but for those with the flags $4.
select latest.vital, latest.value, latest.observed_at, latest.flags
from unnest($2::smallint[]) as kind (vital) cross join lateral (
    select vital, value, observed_at, flags from readings
    where person_no = $1 and readings.vital = kind.vital and observed_at <= $3::timestamptz + interval '2 minutes'
      and flags & $4 = 0
    order by observed_at desc limit 1
) latest;

-- name: chart_points
-- The readings of some vitals of a person over a time, but for those with the flags $5.
select vital, observed_at, value, flags from readings
where person_no = $1 and vital = any ($2::smallint[]) and observed_at >= $3 and observed_at <= $4 and flags & $5 = 0
order by observed_at limit 50000;

-- name: coverage_of
-- Which minutes of each vital of a person were watched between two moments, and why the others were not, by the hour.
select vital, hour, watched, charging, not_worn, moving, poor, home_silent, device_silent from coverage
where person_no = $1 and hour > $2::timestamptz - interval '1 hour' and hour < $3 order by vital, hour;

-- name: readings_page
-- A page of the readings of one vital of a person after the key $3 to $7 and before $8. The bound on the time alone says
-- nothing new: it spares the chunks before it.
select observed_at, received_at, value, flags, devices.device, device_no, epoch, seq, item
from readings join devices using (device_no)
where person_no = $1 and vital = $2 and observed_at >= $3 and observed_at < $8
  and (observed_at, device_no, epoch, seq, item) > ($3, $4, $5, $6, $7)
order by observed_at, device_no, epoch, seq, item limit $9;

-- name: steps_since
-- The steps of a person since a moment, but for readings with the flags $4 (sent twice, say); totals of a device that
-- reports no increments are not added up.
select coalesce(sum(value), 0) from readings r
where person_no = $1 and vital = $2 and observed_at >= $3 and flags & $4 = 0
  and not exists (select from step_totals t where t.device_no = r.device_no);

-- name: watermark
-- How far store and score have come; null when that is not known.
select received_at from watermark;

-- name: without_recipient_in_care
-- People in a doctor's care about whom nobody would be notified, by name; `everybody`: how many there are beyond the limit too.
select people.person_no, people.person_id, people.display_name, count(*) over () as everybody
from people_without_recipient($2) without_recipient join people on people.person_no = without_recipient.person_no
where without_recipient.person_no in (select person_no from people_in_care($1, $2))
order by people.display_name, people.person_no limit $3;

-- name: without_recipient_or_doctor
-- How many monitored people are in nobody's care.
select count(*) from people_without_recipient($1) where not has_doctor;

-- name: worklist
-- What waits for a doctor, and what was acknowledged but is not over.
select alerts.*, coalesce(people.display_name, homes.label) as subject, people.person_id, people.born_on,
       homes.label, homes.time_zone, doctors.display_name as acknowledged_by_name
from alerts join homes using (home_no)
left join people on people.person_no = alerts.person_no
left join doctors on doctors.doctor_no = alerts.acknowledged_by
where alerts.state <> 'closed'
  and (alerts.person_no in (select person_no from people_in_care($1, $2))
       or (alerts.person_no = 0 and alerts.home_no in (select home_no from people_in_care($1, $2))))
order by alerts.state = 'open' desc, alerts.severity desc, alerts.opened_at limit $3;

-- name: alerts_page
-- A page of alerts in a doctor's care, newest first, before ($4, $5), of some states, of one person where $6 is set.
select alerts.*, coalesce(people.display_name, homes.label) as subject, people.person_id, people.born_on,
       homes.label, homes.time_zone, doctors.display_name as acknowledged_by_name
from alerts join homes using (home_no)
left join people on people.person_no = alerts.person_no
left join doctors on doctors.doctor_no = alerts.acknowledged_by
where alerts.state = any ($3::text[]) and ($6::integer is null or alerts.person_no = $6)
  and ($4::timestamptz is null or (alerts.opened_at, alerts.alert_id) < ($4, $5))
  and (alerts.person_no in (select person_no from people_in_care($1, $2))
       or (alerts.person_no = 0 and alerts.home_no in (select home_no from people_in_care($1, $2))))
order by alerts.opened_at desc, alerts.alert_id desc limit $7;

-- name: find_alert
-- An alert with the names of those it is about.
select alerts.*, coalesce(people.display_name, homes.label) as subject, people.person_id, people.born_on,
       homes.label, homes.time_zone, doctors.display_name as acknowledged_by_name
from alerts join homes using (home_no)
left join people on people.person_no = alerts.person_no
left join doctors on doctors.doctor_no = alerts.acknowledged_by
where alert_id = $1;

-- name: findings_of_alert
-- The findings that an alert rests on, newest first; known_until is when the last of its evidence was measured.
select findings.*, to_timestamp((evidence -> -1 ->> 'observed_at')::bigint / 1000.0) as known_until from alert_findings join findings using (finding_id)
where alert_id = $1 order by findings.observed_at desc, level desc limit 50;

-- name: standings
-- Of some alerts the last that was said of the episodes that are open, or of any where none is; of a pause also since when
-- nothing was known, and the newest usable reading after that, if there is one. Kinds of evidence are $2 and $3; readings
-- with the flags $4 are not usable.
select alerts.alert_id, last.level, last.end_reason, last.observed_at, last.raised_at, last.known_until, heard.observed_at as heard_at
from alerts cross join lateral (
    select level, end_reason, findings.observed_at, raised_at, evidence -> -1 ->> 'what' as what,
           to_timestamp((evidence -> -1 ->> 'observed_at')::bigint / 1000.0) as known_until
    from alert_findings join findings using (finding_id)
    where alert_findings.alert_id = alerts.alert_id
      and (cardinality(alerts.active_episodes) = 0 or findings.episode = any (alerts.active_episodes))
    order by raised_at desc, findings.observed_at desc, level limit 1
) last
left join unnest($2::text[], $3::smallint[]) as kind (code, vital) on kind.code = last.what
left join lateral (
    select readings.observed_at from readings
    where last.end_reason = 'no_data' and readings.person_no = alerts.person_no and readings.vital = kind.vital
      and readings.observed_at > last.known_until and readings.observed_at <= $5 and readings.flags & $4 = 0
    order by readings.observed_at desc limit 1
) heard on true
where alerts.alert_id = any ($1::uuid[]);

-- name: clipped_readings
-- Which of a person's readings of some vitals at some moments have the flags $4.
select device_no, epoch, seq, item from readings
where person_no = $1 and vital = any ($2::smallint[]) and observed_at = any ($3::timestamptz[]) and flags & $4 <> 0;

-- name: trail_of_alert
-- What happened to an alert, in order; of more than 200 lines, as repetitions make them, the newest.
select at, what, from_state, to_state, level, note, display_name
from (select * from alert_audit where alert_id = $1 order by audit_no desc limit 200) newest
left join doctors using (doctor_no) order by audit_no;

-- name: readers_of_alert
-- Which doctors have opened an alert, and when first.
select display_name, min(happened_at) as first_at, count(*) as times
from audit join doctors using (doctor_no)
where alert_id = $1 and allowed and action = 'read_alert' group by display_name order by 2 limit 20;

-- name: next_repeat_of_alert
-- When people are notified again unless somebody acknowledges.
select min(due_at) from escalation_steps where alert_id = $1 and state = 'pending';

-- name: hold_alert
-- An alert, which nobody else changes until the transaction has ended.
select * from alerts where alert_id = $1 for update;

-- name: move_alert
-- What a doctor made of an alert of the version $2; null where it has another by now.
update alerts set
    state = $3, closed_at = $4, acknowledged_at = $5, acknowledged_by = $6, acknowledged_note = $7, version = $8
where alert_id = $1 and version = $2
returning alert_id;

-- name: cancel_steps
-- Nobody is notified again of an alert that was answered.
update escalation_steps set state = 'cancelled' where alert_id = $1 and state = 'pending';

-- name: withdraw_held
-- Nor of what quiet hours hold.
update notifications set state = 'withdrawn', held_until = null where alert_id = $1 and state = 'held';

-- name: write_outcome
-- What a doctor said came of an alert.
insert into alert_outcomes (alert_id, at, doctor_no, what, verdict, action, note, version, opened_at, severity)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: last_outcome
-- What was said last.
select doctor_no, what, verdict, action, note from alert_outcomes where alert_id = $1 order by outcome_no desc limit 1;

-- name: write_trail
-- A line of what happened to an alert.
insert into alert_audit (alert_id, at, what, from_state, to_state, level, doctor_no, note)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: low_findings
-- What was noticed about a person since $2 that no alert was opened for; what was measured long before counts from
-- when it became known. And the last that was said of the same episode, where that was its end or a pause.
select began.rule, began.level, began.observed_at, began.raised_at, retrospective, doctor_text, rationale,
       over.end_reason, over.observed_at as over_at, over.raised_at as over_raised_at, over.known_until
from findings began left join lateral (
    select ended.level, ended.end_reason, ended.observed_at, ended.raised_at,
           to_timestamp((ended.evidence -> -1 ->> 'observed_at')::bigint / 1000.0) as known_until
    from findings ended
    where ended.person_no = began.person_no and ended.rule = began.rule and ended.episode = began.episode
    order by ended.raised_at desc, ended.observed_at desc, ended.level limit 1
) over on over.level = 0
where person_no = $1 and (severity = $4 or retrospective) and began.level > 0 and began.raised_at >= $2 and began.raised_at <= $3
order by began.observed_at desc limit 50;

-- name: asks_of_person
-- What somebody was asked since $2, and what came of it.
select kind, vital, asked_at, outcome, answered_at from asks
where person_no = $1 and asked_at >= $2 and asked_at <= $3 order by asked_at desc, kind limit 20;

-- name: open_anomaly
-- The last episode of a person's anomaly up to a moment, where it is not over, and when it paused last.
select began.observed_at, began.facts, (
    select max(pause.observed_at) from findings pause
    where pause.person_no = $1 and pause.rule = 'anomaly' and pause.episode = began.episode and pause.level = 0
      and pause.observed_at <= $2
) as paused_at
from findings began
where began.person_no = $1 and began.rule = 'anomaly' and began.level > 0 and began.observed_at <= $2
  and not exists (
    select from findings over
    where over.person_no = $1 and over.rule = 'anomaly' and over.episode = began.episode and over.level = 0
      and over.end_reason <> 'no_data' and over.observed_at <= $2
)
order by began.episode desc limit 1;

-- name: newest_news2
-- A person's newest evaluation up to a moment.
select at, total, respiratory_rate, spo2, oxygen, systolic, pulse, consciousness, temperature, spo2_scale, inputs
from news2_evaluations where person_no = $1 and at <= $2 order by at desc limit 1;

-- name: news2_between
-- A person's totals in a time, in order.
select at, total from news2_evaluations where person_no = $1 and at > $2 and at <= $3 order by at;

-- name: doses_between
-- The doses of a person that are due in a time.
select drug, strength, compartment, due_at, closes_at, state, reminders, settled_at, time_critical
from doses_in_force
where person_no = $1 and due_at >= $2 and due_at < $3 order by due_at, drug limit 100;

-- name: limits_for_person
-- Every version of limits that is about a person or about more than one, up to $2: the newest first.
select limit_no, person_no, region, condition, concern, levels, off, clear_min, worse_by, withdrawn, source, signed_off_by,
       author, valid_from
from limits where (person_no = $1 or person_no is null) and valid_from <= $2 order by valid_from desc, limit_no desc;

-- name: conditions_of_person
-- The conditions of a person at $2, with the moment from which each holds.
select condition, lower(valid) as since, source from person_conditions where person_no = $1 and valid @> $2::timestamptz;

-- name: devices_of_person
-- The devices that somebody has now: when each was heard, since when it is silent, what it said of itself.
select d.device, d.device_type, heard.last_at as heard_at, silent.silent_at,
       said.state, said.leaving, said.since, said.battery_percent
from devices d
cross join lateral (
    select max(c.last_received_at) as last_at from device_cursor c where c.device_no = d.device_no
) heard
cross join lateral (
    -- By itself, or with its home.
    select min(s.silent_at) as silent_at from silences s
    where s.ended_at is null and (s.device_no = d.device_no or s.device_no is null and s.home_no = d.home_no)
) silent
left join device_status said on said.device_no = d.device_no
where d.removed_at is null and exists (
    select from bindings b where b.device_no = d.device_no and b.person_no = $1 and b.valid @> $2::timestamptz
)
order by d.device_type, d.device;
