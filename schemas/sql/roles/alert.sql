-- alert: makes alerts of findings and notifications of alerts; reads names, addresses and secrets of receivers.
grant select (alert_id, at, what), insert (alert_id, at, from_state, level, note, to_state, what) on alert_audit to
    hearthbeat_alert;
grant select (alert_id, finding_id), insert (alert_id, finding_id) on alert_findings to hearthbeat_alert;
grant select (acknowledged_at, acknowledged_by, acknowledged_note, active_episodes, active_level, active_severity,
    alert_id, caregiver_text, closed_at, concern, condition_at, doctor_text, ended_at, episode, episodes,
    episodes_since_open, first_at, home_no, level, opened_at, person_no, rationale, rule, severity, state, unverified,
    version), insert (active_episodes, active_level, active_severity, alert_id, caregiver_text, closed_at, concern,
    condition_at, doctor_text, ended_at, episode, episodes, episodes_since_open, first_at, home_no, level, opened_at,
    person_no, rationale, rule, severity, state, unverified, version), update (active_episodes, active_level,
    active_severity, caregiver_text, closed_at, condition_at, doctor_text, ended_at, episode, episodes,
    episodes_since_open, level, opened_at, rationale, severity, state, unverified, version) on alerts to
    hearthbeat_alert;
grant select (doctor_no, person_no, valid) on care_relations to hearthbeat_alert;
grant select (address, channel, details, doctor_no, language) on contact_addresses to hearthbeat_alert;
grant select (doctor_no, time_zone) on doctors to hearthbeat_alert;
grant select (alert_id, due_at, reason, repeat, state, step), insert (alert_id, due_at, reason, repeat, state, step,
    suppressed), update (state, suppressed) on escalation_steps to hearthbeat_alert;
grant select (caregiver_text, claimed_at, concern, doctor_text, end_reason, episode, evidence, finding_id, home_no,
    level, observed_at, person_no, raised_at, rationale, retrospective, rule, rule_version, severity, unverified),
    update (claimed_at) on findings to hearthbeat_alert;
grant select (device_no, fits_person_no, held_id, is_held, item, measurement_id, observed_at, person_no, reason,
    received_at, state, unit, vital) on held_readings to hearthbeat_alert;
grant select (home_no, label, time_zone) on homes to hearthbeat_alert;
grant select (alert_id, finding_id, held_id, home_no, kind, list_no, person_no, place, severity, waiting), insert
    (alert_id, finding_id, held_id, home_no, kind, list_no, person_no, place, rule, severity, waiting) on
    morning_list_entries to hearthbeat_alert;
grant select (attempts, channel, leased_until, list_no, possible_duplicate, retry_at, state), insert (channel,
    list_no, retry_at), update (attempts, leased_until, possible_duplicate, reason, retry_at, sent_at, state) on
    morning_list_sendings to hearthbeat_alert;
grant select (day, doctor_no, list_no, zone), insert (day, doctor_no, made_at, since, zone) on morning_lists to
    hearthbeat_alert;
grant select (doctor_no, looked_at, next_at), insert (doctor_no, looked_at, next_at), update (looked_at, next_at) on
    morning_looks to hearthbeat_alert;
grant select (alert_id, attempt, channel, doctor_no, step), insert (alert_id, attempt, channel, doctor_no, outcome,
    possible_duplicate, started_at, step), update (ended_at, outcome, reason) on notification_attempts to
    hearthbeat_alert;
grant select (channel), insert (channel), delete on notification_channels to hearthbeat_alert;
grant select (alert_id, attempts, channel, created_at, doctor_no, held_until, leased_until, possible_duplicate,
    retry_at, severity, state, step), insert (alert_id, channel, created_at, doctor_no, held_until,
    possible_duplicate, retry_at, severity, state, step), update (attempts, held_until, leased_until,
    possible_duplicate, retry_at, sent_at, state) on notifications to hearthbeat_alert;
grant select (display_name, home_no, person_no) on people to hearthbeat_alert;
grant select (restored_at) on platform to hearthbeat_alert;
grant select (begins, doctor_no, ends, valid, zone) on quiet_hours to hearthbeat_alert;
grant select (channel, doctor_no, ends_at, sealed, secret_no) on receiver_secrets to hearthbeat_alert;
grant execute on function pg_advisory_xact_lock(bigint) to hearthbeat_alert;
