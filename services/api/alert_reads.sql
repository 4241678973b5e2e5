-- name: notified_of_alert
-- Each time that people were, or would have been, notified of an alert; whom, over which channel, and how that stands with
-- the reason of the last attempt. Without a doctor: nobody was notified, suppressed says whether for want of need.
select step.step, step.reason, step.repeat, step.suppressed, step.due_at, sent.channel, doctors.doctor_no,
       doctors.display_name, sent.state, sent.attempts, sent.created_at, sent.sent_at, sent.held_until,
       sent.possible_duplicate, last.reason as attempt_reason
from escalation_steps step
left join notifications sent on sent.alert_id = step.alert_id and sent.step = step.step
left join doctors on doctors.doctor_no = sent.doctor_no
left join lateral (
    select attempt.reason from notification_attempts attempt
    where attempt.alert_id = sent.alert_id and attempt.step = sent.step and attempt.doctor_no = sent.doctor_no
      and attempt.channel = sent.channel and attempt.ended_at is not null
    order by attempt.attempt desc limit 1
) last on true
where step.alert_id = $1 and step.state = 'done'
order by step.step desc, doctors.display_name, sent.channel limit 200;

-- name: outcomes_of_alert
-- What doctors have said of an alert, in order.
select said.at, said.what, said.verdict, said.action, said.note, said.version, doctors.display_name
from alert_outcomes said join doctors using (doctor_no) where said.alert_id = $1 order by said.outcome_no limit 200;

-- name: episodes_of_concern
-- When the episodes of a concern of a person (or of a home) began, from $4 on and up to $5: the newest first.
select listed.alert_id, found.episode, min(found.observed_at) as began_at, max(found.severity) as severity
from alerts listed
join alert_findings link on link.alert_id = listed.alert_id
join findings found on found.finding_id = link.finding_id
where listed.home_no = $1 and listed.person_no = $2 and listed.concern = $3 and found.level > 0
  and found.observed_at <= $5
group by listed.alert_id, found.episode
having min(found.observed_at) >= $4
order by began_at desc, listed.alert_id, found.episode limit 500;

-- name: alerts_of_concern
-- The other alerts of a concern of a person (or of a home), the newest first, each with the verdict that was said last.
select earlier.alert_id, earlier.first_at, earlier.severity, earlier.state, earlier.episodes, earlier.acknowledged_note,
       doctors.display_name as acknowledged_by_name, last.verdict
from alerts earlier
left join doctors on doctors.doctor_no = earlier.acknowledged_by
left join lateral (
    select said.verdict from alert_outcomes said
    where said.alert_id = earlier.alert_id and said.verdict is not null order by said.outcome_no desc limit 1
) last on true
where earlier.home_no = $1 and earlier.person_no = $2 and earlier.concern = $3 and earlier.alert_id <> $4
order by earlier.first_at desc, earlier.alert_id limit 20;
