-- watch: counts what is overdue and rejected; reads no name and no value; writes incidents of the platform.
grant select (alert_id, ended_at, state) on alerts to hearthbeat_watch;
grant select (person_no, valid) on bindings to hearthbeat_watch;
grant select (doctor_no, person_no, valid) on care_relations to hearthbeat_watch;
grant select (created_at, expires_at, sent_at) on commands to hearthbeat_watch;
grant select (channel, doctor_no) on contact_addresses to hearthbeat_watch;
grant select (device_no, used_again_at) on device_claims to hearthbeat_watch;
grant select (device_no, issued_at, next_from, suspended_at) on device_credentials to hearthbeat_watch;
grant select (plan_id, valid) on dose_plan_versions to hearthbeat_watch;
grant select (person_no, plan_id) on dose_plans to hearthbeat_watch;
grant select (missed_at, state) on doses_in_force to hearthbeat_watch;
grant select (alert_id, due_at, state) on escalation_steps to hearthbeat_watch;
grant select (decided_at, due_at, ended_at, lying_at) on fall_checks to hearthbeat_watch;
grant select (claimed_at, raised_at) on findings to hearthbeat_watch;
grant select (conflicts) on key_conflicts to hearthbeat_watch;
grant select (due_at) on look_backs to hearthbeat_watch;
grant select (alert_id, attempt, channel, doctor_no, reason, step) on notification_attempts to hearthbeat_watch;
grant select (channel) on notification_channels to hearthbeat_watch;
grant select (alert_id, attempts, channel, created_at, doctor_no, held_until, leased_until, retry_at, state, step) on
    notifications to hearthbeat_watch;
grant select (person_id, person_no) on people to hearthbeat_watch;
grant select (detail, end_notified_at, ended_at, incident_id, kind, last_seen_at, notified_at, opened_at, subject),
    insert (detail, end_notified_at, ended_at, incident_id, kind, last_seen_at, notified_at, opened_at, subject),
    update (detail, end_notified_at, ended_at, last_seen_at, notified_at) on platform_incidents to hearthbeat_watch;
grant select (device, received_at) on rejected to hearthbeat_watch;
grant select (due_at, ended_at) on sos_calls to hearthbeat_watch;
grant select (device, last_at, throttled) on throttled_devices to hearthbeat_watch;
grant select (counter, value), insert (counter, value), update (value) on watch_counters to hearthbeat_watch;
grant select (received_at) on watermark to hearthbeat_watch;
grant execute on function end_old_viewers(timestamp with time zone) to hearthbeat_watch;
grant execute on function pg_try_advisory_lock(bigint) to hearthbeat_watch;
grant usage on schema audit to hearthbeat_watch;
grant select (appended_at) on audit.unsealed to hearthbeat_watch;
