-- A small world for the dashboards' readers at 2026-11-22 12:00 UTC: two homes, three people, a day of vitals,
-- two weeks of doses, alerts, rejections. Person 3 has names and values that nobody else has.
insert into homes (home_id, label, time_zone) values
    ('00000000-0000-0000-0000-0000000000aa', 'Lindenweg', 'Europe/Berlin'),
    ('00000000-0000-0000-0000-0000000000bb', 'Hidden house', 'Asia/Shanghai');
insert into people (person_id, home_no, display_name, born_on) values
    ('00000000-0000-0000-0000-0000000000a1', 1, 'Anna Lind', '1941-03-02'),
    ('00000000-0000-0000-0000-0000000000a2', 1, 'Albert Lind', '1938-07-19'),
    ('00000000-0000-0000-0000-0000000000b1', 2, 'Berta Verborgen', '1944-01-30');
insert into devices (device, device_type, home_no, shard, registered_at)
select kind || '-' || home_no || letter, device_type, home_no, 1, timestamptz '2026-11-01 00:00Z'
from (values ('band', 'wearable_band'), ('cuff', 'pressure_cuff'), ('cgm', 'cgm'), ('scale', 'scale'),
             ('pills', 'pill_dispenser')) as kinds (kind, device_type),
     (values (1, 'a'), (1, 'b'), (2, 'a')) as owners (home_no, letter);
insert into devices (device, device_type, home_no, shard, registered_at)
values ('thermometer-1a', 'thermometer', 1, 1, timestamptz '2026-11-01 00:00Z');
insert into watermarks (consumer, instance, partition_no, received_at)
values ('store', 'test', 0, timestamptz '2026-11-22 12:00Z'), ('score', 'test', 0, timestamptz '2026-11-22 11:59:58Z');

-- What was watched: all of it, but for two hours of person 1; the newest hour is not over.
insert into coverage (person_no, vital, hour, watched, charging, not_worn, moving, poor, home_silent, device_silent)
select person_no, vital, hour, case when off then 0 else (1::bigint << 60) - 1 end, 0,
       case when off then (1::bigint << 60) - 1 else 0 end, 0, 0, 0, 0
from (values (1), (2), (3)) as people (person_no) cross join (values (1::smallint), (2), (3)) as worn (vital)
cross join generate_series(timestamptz '2026-11-21 11:00Z', timestamptz '2026-11-22 11:00Z', interval '1 hour') as hour
cross join lateral (select person_no = 1 and hour in ('2026-11-21 22:00Z', '2026-11-21 23:00Z') as off) taken;

-- Person 1 took the band off for two hours.
insert into readings (person_no, vital, observed_at, device_no, epoch, seq, item, value, flags, received_at)
select person_no, vital, at, device_no, 7, tick, vital, case person_no when 3 then 61.6180339 else wave end, 0,
       at + interval '400 ms'
from (values (1, 'band-1a'), (2, 'band-1b'), (3, 'band-2a')) as worn (person_no, device) join devices using (device)
cross join generate_series(1, 1440) as tick
cross join lateral (select timestamptz '2026-11-22 12:00Z' - make_interval(mins => 1440 - tick) as at,
                           hashint4(tick * 7 + person_no) / 4294967296.0 as noise) clock
cross join lateral (
    values (1::smallint, 66 + 6 * sin((tick + 260) / 229.0) + 7 * noise + greatest(0, 30 * sin(tick / 37.0) - 18)),
           (2::smallint, 95.8 + 0.8 * sin(tick / 229.0) + 1.4 * noise),
           (3::smallint, 15 + 1.5 * sin((tick + 260) / 229.0) + 2 * noise),
           (10::smallint, 33.2 + 0.8 * sin((tick + 100) / 229.0) + 0.2 * noise)
) as measured (vital, wave)
where not (person_no = 1 and tick between 600 and 720);

insert into readings (person_no, vital, observed_at, device_no, epoch, seq, item, value, flags, received_at)
select 1, 7, at, (select device_no from devices where device = 'cgm-1a'), 7, tick, 0,
       118 + 42 * sin(tick / 17.0) + 9 * sin(tick / 5.0), 0, at + interval '1 s'
from generate_series(1, 288) as tick,
     lateral (select timestamptz '2026-11-22 12:00Z' - make_interval(mins => 5 * (288 - tick)) as at) clock;

insert into readings (person_no, vital, observed_at, device_no, epoch, seq, item, value, flags, received_at)
select 1, vital, at, (select device_no from devices where device = 'cuff-1a'), 7, extract(epoch from at)::bigint, vital, value, 0, at
from (values (timestamptz '2026-11-21 18:05Z', 5::smallint, 141.0), ('2026-11-21 18:05Z', 6, 83.0),
             ('2026-11-22 06:40Z', 5, 136.0), ('2026-11-22 06:40Z', 6, 79.0)) as cuff (at, vital, value);

insert into readings (person_no, vital, observed_at, device_no, epoch, seq, item, value, flags, received_at)
select 1, 4, at, (select device_no from devices where device = 'thermometer-1a'), 7, extract(epoch from at)::bigint, 0, value, 0, at
from (values (timestamptz '2026-11-21 18:20Z', 36.9), ('2026-11-22 06:35Z', 36.5)) as thermometer (at, value);

insert into readings (person_no, vital, observed_at, device_no, epoch, seq, item, value, flags, received_at)
select 1, 8, at, (select device_no from devices where device = 'scale-1a'), 7, extract(epoch from at)::bigint, 0, value, 0, at
from (values (timestamptz '2026-11-18 06:30Z', 64.2), ('2026-11-22 06:30Z', 63.8)) as scale (at, value);

insert into readings (person_no, vital, observed_at, device_no, epoch, seq, item, value, flags, received_at)
select 1, 9, at, (select device_no from devices where device = 'band-1a'), 7, 100000 + tick, 0, case when extract(hour from at at time zone 'UTC') between 6 and 18 then abs(hashint4(tick) % 190) else 0 end, 0, at
from generate_series(1, 144) as tick,
     lateral (select timestamptz '2026-11-22 12:00Z' - make_interval(mins => 10 * (144 - tick)) as at) clock;

insert into device_cursor (device_no, epoch, settled, floor, rejected, last_received_at)
select device_no, 7, '{[1,1440]}', 0, '[]', max(received_at) from readings group by device_no;
insert into rejected (device_no, epoch, seq, item, device, reason, field, raw, received_at)
select (select device_no from devices where device = 'band-1a'), 7, 5000 + tick, 0, 'band-1a', (array['out_of_range', 'unknown_unit', 'bad_time'])[1 + tick % 3], 'value',
       '\x7b7d', timestamptz '2026-11-22 12:00Z' - make_interval(mins => tick)
from generate_series(1, 50) as tick;
insert into device_events (device_no, epoch, seq, item, home_no, person_no, kind, observed_at, received_at, flags, details)
select (select device_no from devices where device = 'band-1a'), 7, 200000 + tick, 0, 1, 1, 8, at, at, 0, '{}'
from generate_series(1, 6) as tick,
     lateral (select timestamptz '2026-11-22 12:00Z' - make_interval(mins => 9 * tick) as at) clock;

-- Two doses a day of one plan each; person 1 has a second one, that a doctor has paused since yesterday evening.
insert into dose_plans (plan_id, person_no)
select ('00000000-0000-0000-0000-00000000000' || number)::uuid, person_no
from (values (1, 1), (2, 2), (3, 3), (4, 1)) as plans (number, person_no);
insert into dose_plan_versions (plan_id, valid, device_no, compartment, drug, strength, count, at_times, time_critical, zone,
                                made_at)
select plan_id, tstzrange('2026-11-01 00:00Z', null),
       (select device_no from devices where device = 'pills-' || (array['1a', '1b', '2a'])[person_no]),
       case plan_id when '00000000-0000-0000-0000-000000000004' then 2 else 1 end,
       case when person_no = 3 then 'Hidden medicine' when plan_id = '00000000-0000-0000-0000-000000000004' then 'Ramipril'
            else 'Metformin' end,
       case person_no when 3 then '' else '500 mg' end, case person_no when 2 then 2 else 1 end,
       case plan_id when '00000000-0000-0000-0000-000000000004' then '{08:00}' else '{08:00,20:00}' end::time[],
       person_no = 3, time_zone, timestamptz '2026-11-01 00:00Z'
from dose_plans join people using (person_no) join homes using (home_no);
insert into doses (dose_id, plan_id, version_no, person_no, home_no, device_no, compartment, local_date, early_after,
                   opens_at, due_at, closes_at, missed_at, state, settled_at, drug, strength, count, zone, time_critical,
                   doubles)
select gen_random_uuid(), plan_id, version_no, plans.person_no, home_no, device_no, compartment, day,
       due - interval '6 h', due - interval '2 h', due, due + interval '2 h', due + interval '4 h', outcome.state,
       case when outcome.state in ('pending', 'reminded', 'unknown') then null else due + interval '10 min' end,
       drug, strength, count, zone, time_critical, case outcome.state when 'double' then 1 else 0 end
from dose_plans plans join dose_plan_versions versions using (plan_id) join people using (person_no) join homes using (home_no)
cross join generate_series(0, 13) as ago cross join generate_series(0, cardinality(at_times) - 1) as slot
cross join lateral (select date '2026-11-22' - ago as day) calendar
cross join lateral (select (day + at_times[slot + 1]) at time zone time_zone as due) clock
cross join lateral (select case when due > timestamptz '2026-11-22 12:00Z' then 'pending'
                                when compartment = 2 then case when ago = 0 then 'held' else 'taken' end
                                when (ago * 2 + slot) % 9 = 3 then 'missed'
                                when (ago * 2 + slot) % 11 = 5 then 'unknown'
                                when (ago * 2 + slot) % 13 = 7 then 'double'
                                when (ago * 2 + slot) % 7 = 2 then 'late' else 'taken' end as state) outcome;
insert into dose_evidence (device_no, epoch, seq, item, dose_id, compartment, kind, observed_at, decisive, role)
select device_no, 7, row_number() over (order by dose_id), 0, dose_id, 1, 6, due_at + interval '7 min', true, 'decided'
from doses where state in ('taken', 'double');
insert into dose_evidence (device_no, epoch, seq, item, dose_id, compartment, kind, observed_at, decisive, role)
select device_no, 7, 500000 + row_number() over (order by dose_id), 0, dose_id, 1, 6, due_at + interval '3 h', true, 'decided'
from doses where state = 'late';
insert into dose_evidence (device_no, epoch, seq, item, dose_id, compartment, kind, observed_at, decisive, role)
select device_no, 7, 600000 + row_number() over (order by dose_id), 0, dose_id, 1, 6, due_at + interval '2 h', false, 'double'
from doses where state = 'double';
insert into caregiver_notices (person_no, home_no, dose_id, at, made_at, message, facts, caregiver_text)
select person_no, home_no, dose_id, closes_at, closes_at, 'dose_notice.open', '{"drug": "x", "due": "1", "by": "2"}',
       case person_no when 3 then 'Hidden dose' else 'The dose was not taken in its time' end
from doses where state in ('missed', 'late') and closes_at < timestamptz '2026-11-22 12:00Z';
insert into plan_stock (plan_id, at, count, what) select plan_id, timestamptz '2026-11-08 12:00Z', 40, 'counted' from dose_plans;
insert into plan_supplies (plan_id, as_of, left_count, runs_out_at, refill_due, state_key)
select plan_id, timestamptz '2026-11-22 11:00Z', 9, timestamptz '2026-11-27 07:00Z', true, 'test' from dose_plans;

insert into doctors (email, display_name) values ('doctor@example.org', 'Dr Example');
insert into contact_addresses (doctor_no, channel, address) select doctor_no, 'email', email from doctors;
insert into alerts (alert_id, home_no, person_no, rule, concern, severity, level, active_severity, active_level, state,
                    episode, active_episodes, first_at, opened_at, condition_at, doctor_text, caregiver_text, rationale, acknowledged_at)
select gen_random_uuid(), home_no, person_no, rule, rule, severity, 1, severity, 1, state, 1, '{1}', at, at, at,
       'for the doctor only: ' || rule, words, 'because', case when state = 'acknowledged' then at end
from (values
    (1, 1, 'fall', 3, 'open', timestamptz '2026-11-22 11:52Z', 'Anna may have fallen and has not answered.'),
    (1, 1, 'glucose_low', 2, 'acknowledged', '2026-11-22 09:31Z', 'Anna''s sugar is low. Something sweet helps.'),
    (1, 2, 'silent_device', 0, 'open', '2026-11-22 07:00Z', 'Albert''s wristband has not been heard for 5 hours.'),
    (1, 0, 'sos', 3, 'open', '2026-11-22 11:58Z', 'Somebody at Lindenweg pressed the emergency button.'),
    (2, 3, 'heart_rate', 2, 'open', '2026-11-22 10:00Z', 'Hidden person: the pulse is fast.')
) as raised (home_no, person_no, rule, severity, state, at, words);
insert into alert_audit (alert_id, at, what, to_state, level) select alert_id, opened_at, 'opened', 'open', 1 from alerts;
insert into alert_outcomes (alert_id, at, doctor_no, what, verdict, note, version, opened_at, severity)
select alert_id, opened_at + interval '6 minutes', 1, 'acknowledged', 'real', 'a note about Anna', 1, opened_at, severity
from alerts where state = 'acknowledged';
insert into escalation_steps (alert_id, step, due_at, state) select alert_id, 0, opened_at, 'done' from alerts;
insert into notifications (alert_id, step, doctor_no, channel, state, attempts, created_at, retry_at)
select alert_id, 0, 1, channel, case channel when 'email' then 'sent' else 'pending' end, 1, opened_at, opened_at
from alerts cross join (values ('email'), ('webhook')) as channels (channel);

insert into platform_incidents (incident_id, kind, subject, detail, opened_at, last_seen_at, ended_at)
values (gen_random_uuid(), 'service_down', 'score', 'ConnectError.', '2026-11-22 11:57Z', '2026-11-22 12:00Z', null),
       (gen_random_uuid(), 'dropped_at_broker', '', '639 more.', '2026-11-22 11:20Z', '2026-11-22 11:20Z',
        '2026-11-22 11:25Z');
insert into model_inputs (day, model, fitted, feature, instance, shares, counts, people)
select '2026-11-22', 'glucose_forecast', 'one', feature, instance, '{0.5, 0.4, 0.1}', counts, 20
from (values ('mg_dl', '0', '{250, 200, 50}'::bigint[]), ('mg_dl', '1', '{250, 200, 50}'),
             ('step_0_min_ago', '0', '{100, 300, 100}'), ('step_0_min_ago', '1', '{100, 400, 0}'))
     as counted (feature, instance, counts);
