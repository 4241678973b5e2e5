-- api: what doctors see and change. It may ask whether a password is right, and reads no hash of any.

-- It adds to the audit and reads of it what the pages of alerts show; it neither changes nor removes a row.
grant select (alert_id, at, audit_no, doctor_no, from_state, level, note, to_state, what), insert (alert_id, at,
    doctor_no, from_state, level, note, to_state, what) on alert_audit to hearthbeat_api;
grant select (alert_id, finding_id) on alert_findings to hearthbeat_api;
grant select (action, alert_id, at, doctor_no, note, opened_at, outcome_no, verdict, version, what), insert (action,
    alert_id, at, doctor_no, note, opened_at, severity, verdict, version, what) on alert_outcomes to hearthbeat_api;
grant select (acknowledged_at, acknowledged_by, acknowledged_note, active_episodes, active_level, active_severity,
    alert_id, caregiver_text, closed_at, concern, condition_at, doctor_text, ended_at, episode, episodes,
    episodes_since_open, first_at, home_no, level, opened_at, person_no, rationale, rule, severity, state, unverified,
    version), update (acknowledged_at, acknowledged_by, acknowledged_note, closed_at, state, version) on alerts to
    hearthbeat_api;
grant select (answered_at, asked_at, kind, outcome, person_no, vital) on asks to hearthbeat_api;
grant select (action, address, alert_id, allowed, audit_no, doctor_no, happened_at, people, recorded_at), insert
    (action, address, alert_id, allowed, doctor_no, happened_at, people, recorded_at) on audit to hearthbeat_api;
grant select (back_test_id, share) on back_test_progress to hearthbeat_api;
grant select (asked_at, asked_by, back_test_id, clear_min, concern, days, done_at, failed, levels, off, person_no,
    reason, result, worse_by), insert (asked_at, asked_by, back_test_id, clear_min, concern, days, levels, off,
    person_no, reason, worse_by) on back_tests to hearthbeat_api;
grant select (device_no, person_no, valid) on bindings to hearthbeat_api;
grant select (doctor_no, person_no, valid) on care_relations to hearthbeat_api;
grant select (channel, doctor_no) on contact_addresses to hearthbeat_api;
grant select (charging, device_silent, home_silent, hour, moving, not_worn, person_no, poor, vital, watched) on
    coverage to hearthbeat_api;
grant select (account, cookie_hash, cookie_no, ends_at), insert (account, cookie_hash, ends_at), update (ends_at),
    delete on device_cookies to hearthbeat_api;
grant select (device_no, last_received_at) on device_cursor to hearthbeat_api;
grant select (device_no, epoch, item, received_at, seq) on device_events to hearthbeat_api;
grant select (battery_percent, device_no, leaving, since, state) on device_status to hearthbeat_api;
grant select (device, device_no, device_type, home_no, removed_at) on devices to hearthbeat_api;
grant select (disabled_at, display_name, doctor_no, email, has_password, time_zone), update (time_zone) on doctors
    to hearthbeat_api;
grant select (device_no, dose_id, epoch, item, kind, observed_at, role, seq) on dose_evidence to hearthbeat_api;
grant select (anchor, at_times, author_no, compartment, count, device_no, drug, every_days, from_day, kind,
    least_interval_min, listed, made_at, most_per_day, plan_id, planned_through, reason, strength, time_critical,
    until_day, valid, version_no, weekdays, zone), insert (anchor, at_times, author_no, compartment, count, device_no,
    drug, every_days, from_day, kind, least_interval_min, listed, made_at, most_per_day, plan_id, reason, strength,
    time_critical, until_day, valid, weekdays, zone), update (valid) on dose_plan_versions to hearthbeat_api;
grant select (person_no, plan_id, register_key), insert (person_no, plan_id), update (changed) on dose_plans to
    hearthbeat_api;
grant select (as_needed, closes_at, compartment, count, dose_id, drug, due_at, listed, missed_at, opens_at, person_no,
    plan_id, reminders, settled_at, state, strength, time_critical, unknown_since, version_no, zone) on doses_in_force
    to hearthbeat_api;
grant select (alert_id, due_at, reason, repeat, state, step, suppressed), update (state) on escalation_steps to
    hearthbeat_api;
grant select (artefact, caregiver_text, claimed_at, concern, doctor_text, end_reason, episode, evidence, facts,
    finding_id, home_no, known_by, level, looked_back, message, observed_at, person_no, raised_at, rationale,
    retrospective, rule, rule_version, severity, unverified) on findings to hearthbeat_api;
grant select (is_shipped, name, rule, seen_at) on fitted_models to hearthbeat_api;
grant select (decided_at, decided_by, device_no, fits_person_no, held_id, home_no, is_held, is_mine, item, meant,
    measurement_id, moved_to, observed_at, person_no, reason, received_at, said_at, state, unit, value, vital), update
    (decided_at, decided_by, moved_to, state) on held_readings to hearthbeat_api;
grant select (home_id, home_no, label, time_zone) on homes to hearthbeat_api;
grant select (author, clear_min, concern, condition, levels, limit_no, off, person_no, reason, region, signed_off_by,
    source, valid_from, withdrawn, worse_by, written_at), insert (author, clear_min, concern, doctor_no, levels, off,
    person_no, reason, signed_off_by, source, valid_from, withdrawn, worse_by, written_at), delete on limits to
    hearthbeat_api;
grant select (alert_id, finding_id, held_id, home_no, kind, list_no, person_no, place, rule, severity, waiting) on
    morning_list_entries to hearthbeat_api;
grant select (attempts, channel, list_no, sent_at, state) on morning_list_sendings to hearthbeat_api;
grant select (day, doctor_no, list_no, made_at, since, zone) on morning_lists to hearthbeat_api;
grant select (at, consciousness, inputs, oxygen, person_no, pulse, respiratory_rate, spo2, spo2_scale, systolic,
    temperature, total) on news2_evaluations to hearthbeat_api;
grant select (alert_id, attempt, channel, doctor_no, ended_at, reason, step) on notification_attempts to
    hearthbeat_api;
grant select (channel) on notification_channels to hearthbeat_api;
grant select (alert_id, attempts, channel, created_at, doctor_no, held_until, possible_duplicate, sent_at, state,
    step), update (held_until, state) on notifications to hearthbeat_api;
grant select (born_on, display_name, home_no, person_id, person_no) on people to hearthbeat_api;
grant select (condition, person_no, source, valid) on person_conditions to hearthbeat_api;
grant select (doctor_no, ended_by, made_at, pause_no, plan_id, valid, why), insert (doctor_no, made_at, plan_id,
    valid, why), update (ended_by, valid) on plan_pauses to hearthbeat_api;
grant select (at, author_no, count, plan_id, stock_no, what), insert (at, author_no, count, plan_id, what) on
    plan_stock to hearthbeat_api;
grant select (as_of, left_count, plan_id, refill_due, runs_out_at) on plan_supplies to hearthbeat_api;
grant select (attempt_no, doctor_no, ends_at, pending_hash), insert (attempt_no, doctor_no, ends_at, pending_hash),
    delete on pending_sign_ins to hearthbeat_api;
grant select (begins, doctor_no, ends, quiet_no, valid, zone), insert (begins, doctor_no, ends, valid, zone), update
    (valid), delete on quiet_hours to hearthbeat_api;
grant select (device_no, epoch, flags, item, observed_at, person_no, received_at, seq, value, vital) on readings to
    hearthbeat_api;
grant select (code_hash, doctor_no), insert (code_hash, doctor_no), delete on recovery_codes to hearthbeat_api;
grant select (artefact, author, change, doctor_no, reason, rule, valid_from, variant, version_no, written_at), insert
    (artefact, author, change, doctor_no, reason, rule, valid_from, variant, written_at) on rule_versions to
    hearthbeat_api;
grant select (begun_at, confirmed_at, doctor_no, failed_at, failures, last_step, sealed), insert (begun_at, doctor_no,
    sealed), update (begun_at, confirmed_at, failed_at, failures, last_step, sealed), delete on second_factors to
    hearthbeat_api;
grant select (csrf_token, doctor_no, ends_at, opened_at, proved_at, seen_at, session_hash), insert (csrf_token,
    doctor_no, ends_at, opened_at, seen_at, session_hash), update (proved_at, seen_at), delete on sessions to
    hearthbeat_api;
grant select (level, person_no, raised_at, rule) on shadow_findings to hearthbeat_api;
grant select (account, address, attempt_no, attempted_at, cookie_no, outcome), insert (account, address, attempted_at,
    cookie_no, outcome), update (outcome), delete on sign_in_attempts to hearthbeat_api;
grant select (device_no, ended_at, home_no, silent_at) on silences to hearthbeat_api;
grant select (device_no) on step_totals to hearthbeat_api;
grant select (received_at) on watermark to hearthbeat_api;
grant execute on function alert_openings(timestamp with time zone, timestamp with time zone) to hearthbeat_api;
grant execute on function password_fits(integer, text) to hearthbeat_api;
grant execute on function password_reset_of(bytea, timestamp with time zone) to hearthbeat_api;
grant execute on function pg_advisory_xact_lock(bigint) to hearthbeat_api;
grant execute on function pg_advisory_xact_lock(integer, integer) to hearthbeat_api;
grant execute on function sign_in_of(text) to hearthbeat_api;
grant execute on function use_password_reset(bytea, text, timestamp with time zone) to hearthbeat_api;
-- The sealer of the audit: it reads what was appended, and appends seals.
grant usage on schema audit to hearthbeat_api;
grant select (appended_at, row_no, source), delete on audit.unsealed to hearthbeat_api;
grant select (seal, seal_no, sealed_at), insert (marks, row_no, seal, seal_no, sealed_at, source) on audit.seals to
    hearthbeat_api;
grant select (assigned_at, assigned_by, assignment_no, device_no, events, observed_from, observed_until, person_no,
    readings, reason, recorded_at, slot) on assignments to hearthbeat_api;
grant select (change_no, changed_at, changed_by, command, details, recorded_at, subject) on register_changes to
    hearthbeat_api;
grant execute on function pg_try_advisory_xact_lock(bigint) to hearthbeat_api;
