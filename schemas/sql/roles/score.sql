-- score: reads readings, events and limits; writes findings, its own state, and to whom a held reading was given.

-- Deleting and flagging readings is for those that a doctor gives to somebody else, which are written anew for them.
grant select (ask_id, asked_at, device_no, home_no, kind, observed_at, open_until, outcome, person_no, vital), insert
    (ask_id, asked_at, device_no, due_at, epoch, home_no, item, kind, observed_at, open_until, outcome, person_no,
    seq, settled_at, vital), update (answered_at, command_id, outcome, settled_at) on asks to hearthbeat_score;
grant insert (assigned_at, assigned_by, device_no, events, observed_from, observed_until, person_no, readings, reason,
    recorded_at, slot) on assignments to hearthbeat_score;
grant select (back_test_id, share), insert (back_test_id, share), update (share) on back_test_progress to
    hearthbeat_score;
grant select (asked_at, asked_by, back_test_id, clear_min, concern, days, done_at, failed, levels, off, person_no,
    reason, result, worse_by), update (done_at, failed, result) on back_tests to hearthbeat_score;
grant select (device_no, person_no, slot, valid) on bindings to hearthbeat_score;
grant insert (command_id, created_at, details, device_no, expires_at, kind) on commands to hearthbeat_score;
grant select (charging, device_silent, home_silent, hour, moving, not_worn, person_no, poor, vital, watched), insert
    (charging, device_silent, home_silent, hour, moving, not_worn, person_no, poor, vital, watched), update (charging,
    device_silent, home_silent, moving, not_worn, poor, watched) on coverage to hearthbeat_score;
grant select (device_no, last_received_at) on device_cursor to hearthbeat_score;
grant select (details, device_no, epoch, flags, home_no, item, kind, observed_at, person_no, received_at, seq) on
    device_events to hearthbeat_score;
grant select (device_no, leaving, since, state) on device_status to hearthbeat_score;
grant select (device, device_no, device_type, home_no, registered_at, removed_at, shard) on devices to
    hearthbeat_score;
grant select (display_name, doctor_no) on doctors to hearthbeat_score;
grant select (decided_at, device_no, due_at, ended_at, episode, epoch, home_no, item, level, lying_at, observed_at,
    person_no, received_at, said, seq), insert (device_no, due_at, episode, epoch, home_no, item, observed_at,
    person_no, received_at, seq), update (decided_at, ended_at, level, lying_at, said) on fall_checks to
    hearthbeat_score;
grant select (concern, end_reason, episode, evidence, finding_id, home_no, level, observed_at, person_no, raised_at,
    retrospective, rule, rule_version, severity), insert (artefact, caregiver_text, concern, doctor_text, end_reason,
    episode, evidence, facts, finding_id, home_no, known_by, level, looked_back, message, observed_at, person_no,
    raised_at, rationale, retrospective, rule, rule_version, severity, unverified) on findings to hearthbeat_score;
grant select (is_shipped, name, seen_at), insert (is_shipped, name, rule, seen_at), update (is_shipped, seen_at) on
    fitted_models to hearthbeat_score;
grant select (applied, decided_at, decided_by, device_no, epoch, fits_person_no, held_id, home_no, is_held, is_mine,
    item, meant, measurement_id, moved_to, observed_at, person_no, reason, received_at, said_at, seq, state,
    times_better, unit, value, vital), insert (applied, device_no, epoch, fits_person_no, held_id, home_no, is_held,
    item, meant, measurement_id, observed_at, person_no, reason, received_at, seq, times_better, unit, value, vital),
    update (applied, decided_at, is_mine, said_at, state) on held_readings to hearthbeat_score;
grant select (home_no, time_zone) on homes to hearthbeat_score;
grant select (clear_min, concern, condition, ctid, levels, limit_no, off, person_no, region, signed_off_by, source,
    valid_from, withdrawn, worse_by, xmin) on limits to hearthbeat_score;
grant select (asked_at, due_at, first_at, home_no, last_at, person_no, received_at, rule, worn_since), insert
    (asked_at, due_at, first_at, home_no, last_at, person_no, received_at, rule, worn_since), update (asked_at,
    due_at, first_at, last_at, received_at, worn_since), delete on look_backs to hearthbeat_score;
grant insert (done_at, first_at, home_no, last_at, person_no, received_at, received_by, rule, worn_since) on
    looks_done to hearthbeat_score;
grant select (counts, day, feature, fitted, instance, model, people), insert (counts, day, feature, fitted, instance,
    model, people, shares), update (counts, people), delete on model_inputs to hearthbeat_score;
grant select (at, consciousness, inputs, oxygen, person_no, pulse, respiratory_rate, spo2, spo2_scale, systolic,
    temperature, total), insert (at, consciousness, inputs, oxygen, person_no, pulse, respiratory_rate, spo2,
    spo2_scale, systolic, temperature, total), update (consciousness, inputs, oxygen, pulse, respiratory_rate, spo2,
    spo2_scale, systolic, temperature, total), delete on news2_evaluations to hearthbeat_score;
grant select (home_no, person_no) on people to hearthbeat_score;
grant select (condition, ctid, person_no, valid, xmin) on person_conditions to hearthbeat_score;
grant select (device_no, epoch, flags, item, observed_at, person_no, received_at, seq, value, vital), insert
    (device_no, epoch, flags, item, observed_at, person_no, received_at, seq, value, vital), update (flags), delete on
    readings to hearthbeat_score;
grant select (ctid, home_no, person_no, valid, xmin) on residences to hearthbeat_score;
grant select (artefact, change, rule, valid_from, variant, version_no), insert (artefact, author, change, reason,
    rule, valid_from, variant, written_at) on rule_versions to hearthbeat_score;
grant select (home_no, person_no, revision, state), insert (home_no, person_no, revision, state), update (home_no,
    revision, state) on score_days to hearthbeat_score;
grant select (log_time, partition_no, passed_at, position), insert (partition_no, position), update (log_time,
    passed_at, position) on score_positions to hearthbeat_score;
grant select (home_no, partition_no, state), insert (home_no, partition_no, state), update (partition_no, state) on
    score_state to hearthbeat_score;
grant select (person_no, state), insert (person_no, state), update (state) on score_stored_days to hearthbeat_score;
grant select (concern, episode, heard, level, onset, person_no, rule), insert (concern, episode, heard, level, onset,
    person_no, rule), update (heard, level, onset) on seen_episodes to hearthbeat_score;
grant select (episode, evidence, finding_id, home_no, observed_at, person_no, rule, severity), insert (artefact,
    caregiver_text, concern, doctor_text, end_reason, episode, evidence, facts, finding_id, home_no, known_by, level,
    looked_back, message, observed_at, person_no, raised_at, rationale, retrospective, rule, rule_version, severity,
    unverified) on shadow_findings to hearthbeat_score;
grant select (only_row, resumed_at, watermark_at), insert (resumed_at, watermark_at), update (resumed_at,
    watermark_at) on silence_watch to hearthbeat_score;
grant select (device_no, devices, ended_at, episode, home_no, last_heard_at, leaving, offline_at, person_no,
    silent_at), insert (device_no, devices, episode, home_no, last_heard_at, leaving, offline_at, person_no,
    silent_at), update (ended_at) on silences to hearthbeat_score;
grant select (device_no, due_at, ended_at, episode, epoch, home_no, item, observed_at, person_no, said, seq), insert
    (device_no, due_at, episode, epoch, home_no, item, observed_at, person_no, said, seq), update (due_at, ended_at,
    said) on sos_calls to hearthbeat_score;
grant select (device_no) on step_totals to hearthbeat_score;
grant select (received_at) on watermark to hearthbeat_score;
grant select (consumer, instance, partition_no, received_at), insert (consumer, instance, partition_no, received_at),
    update (received_at) on watermarks to hearthbeat_score;
grant execute on function pg_advisory_xact_lock(bigint) to hearthbeat_score;
grant execute on function pg_try_advisory_xact_lock(bigint) to hearthbeat_score;
