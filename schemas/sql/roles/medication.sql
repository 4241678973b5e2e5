-- medication: plans doses, judges what was taken, asks devices to remind; reads no reading of anybody.
grant select (day, person_no), insert (closed_at, day, known, person_no, taken) on adherence_days to
    hearthbeat_medication;
grant select (dose_id, message), insert (at, caregiver_text, dose_id, facts, home_no, made_at, message, person_no) on
    caregiver_notices to hearthbeat_medication;
grant select (command_id, created_at, details, device_no, expires_at, kind, sent_at), insert (command_id, created_at,
    details, device_no, expires_at, kind), update (sent_at) on commands to hearthbeat_medication;
grant select (device_no, floor, last_received_at, settled) on device_cursor to hearthbeat_medication;
grant select (details, device_no, epoch, flags, item, kind, observed_at, person_no, received_at, seq) on device_events
    to hearthbeat_medication;
grant select (device, device_no, shard) on devices to hearthbeat_medication;
grant select (received_at), update (received_at) on dose_events_position to hearthbeat_medication;
grant select (decisive, device_no, dose_id, epoch, item, observed_at, role, seq), insert (compartment, decisive,
    device_no, dose_id, epoch, item, kind, observed_at, role, seq), delete on dose_evidence to hearthbeat_medication;
grant select (anchor, at_times, compartment, count, device_no, drug, every_days, from_day, kind, least_interval_min,
    listed, most_per_day, plan_id, planned_through, strength, time_critical, until_day, valid, version_no, weekdays,
    zone), update (planned_through) on dose_plan_versions to hearthbeat_medication;
grant select (changed, person_no, plan_id), update (changed) on dose_plans to hearthbeat_medication;
grant select (as_needed, compartment, device_no, dose_id, due_at, early_after, fixed_at, missed_at, plan_id,
    settled_at, version_no), insert (as_needed, closes_at, compartment, count, device_no, dose_id, drug, due_at,
    early_after, home_no, listed, local_date, missed_at, opens_at, person_no, plan_id, strength, time_critical,
    version_no, zone), update (closes_at, compartment, count, device_no, double_episode, double_said, doubles, drug,
    due_at, early_after, episode, fixed_at, heard_at, judged_from, listed, local_date, missed_at, opens_at, reminders,
    said, said_last, same_due, settled_at, state, strength, time_critical, unknown_since, version_no, zone), delete on
    doses to hearthbeat_medication;
grant select (as_needed, closes_at, compartment, count, device_no, dose_id, double_episode, double_said, doubles,
    drug, due_at, early_after, episode, fixed_at, heard_at, home_no, judged_from, listed, missed_at, opens_at,
    person_no, plan_id, reminders, said, said_last, settled_at, state, strength, time_critical, unknown_since,
    version_no, zone) on doses_in_force to hearthbeat_medication;
grant select (episode, level, person_no, rule), insert (caregiver_text, concern, doctor_text, end_reason, episode,
    evidence, facts, finding_id, home_no, level, message, observed_at, person_no, raised_at, rationale, rule,
    rule_version, severity, unverified) on findings to hearthbeat_medication;
grant select (home_no, time_zone) on homes to hearthbeat_medication;
grant select (home_no, person_no) on people to hearthbeat_medication;
grant select (ended_by, pause_no, plan_id, valid) on plan_pauses to hearthbeat_medication;
grant select (at, count, plan_id, stock_no, what) on plan_stock to hearthbeat_medication;
grant select (as_of, left_count, plan_id, refill_due, runs_out_at, state_key), insert (as_of, left_count, plan_id,
    refill_due, runs_out_at, state_key), update (as_of, left_count, refill_due, runs_out_at, state_key) on
    plan_supplies to hearthbeat_medication;
grant select (received_at) on watermark to hearthbeat_medication;
grant execute on function pg_advisory_xact_lock(bigint) to hearthbeat_medication;
grant execute on function pg_try_advisory_xact_lock(bigint) to hearthbeat_medication;
