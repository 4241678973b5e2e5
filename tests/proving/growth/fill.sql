-- name: homes
-- Homes for $1 people, two in each.
insert into homes (home_id, label, time_zone)
select md5('home ' || home)::uuid, 'Home ' || home, 'Europe/Berlin' from generate_series(1, ($1::integer + 1) / 2) home;

-- name: people
-- $1 people.
insert into people (person_id, home_no, display_name, born_on)
select md5('person ' || person)::uuid, homes.home_no, 'Person ' || to_char(person, 'FM00000'), date '1940-01-01' + person
from generate_series(1, $1::integer) person join homes on homes.home_id = md5('home ' || (person + 1) / 2)::uuid
order by person;

-- name: devices
-- Devices $1 of type $2 for the people whose number leaves $4 when divided by $3; registered at $5.
insert into devices (device, device_type, home_no, shard, registered_at)
select $1::text || '-' || person_no, $2::text, home_no, person_no % 64, $5::timestamptz
from people where person_no % $3::integer = $4::integer order by person_no;

-- name: bindings
-- Every device belongs to the person in its name, from $1 on.
insert into bindings (device_no, person_no, valid)
select device_no, substring(device from '\d+$')::integer, tstzrange($1, null) from devices;

-- name: sources
-- What devices $1 measure: every $2 seconds the vitals $3; one that is worn ($4) comes off for a sixteenth of the day.
insert into growth.sources (device_no, person_no, epoch, every_s, phase_s, off_from_s, vitals)
select device_no, person_no, 1000003::bigint * device_no, $2::integer, device_no * 7919 % $2::integer,
       case when $4::boolean then device_no * 104729 % 81000 end, $3::smallint[]
from devices join bindings using (device_no) where device ~ ('^' || $1::text || '-\d+$');

-- name: tables
-- What the generator keeps for itself.
create schema growth;
create table growth.sources (
    device_no integer primary key, person_no integer not null, epoch bigint not null, every_s integer not null,
    phase_s integer not null, off_from_s integer, vitals smallint[] not null
);
create table growth.vitals (
    vital smallint primary key, usual float8 not null, swing float8 not null, noise float8 not null, grain float8 not null
);
insert into growth.vitals values
    (1, 72, 9, 14, 1), (2, 96, 0.6, 2, 1), (3, 15, 2, 4, 1), (4, 36.4, 0.3, 0.4, 10), (5, 132, 6, 22, 1), (6, 78, 4, 14, 1),
    (7, 128, 22, 50, 1), (8, 74, 0.2, 1, 10), (9, 18, 8, 12, 1), (10, 33.2, 0.9, 0.8, 10);

-- name: readings_of_a_day
-- Day $2 of a fleet that began at $1, in the order in which ingestion would write it: across people, by reception. An
-- hour in 64 of a device comes two hours late, a reading in 512 is of poor quality.
with ticks as materialized (
    select source.person_no, source.device_no, source.epoch, source.vitals, number as seq,
           to_timestamp(extract(epoch from $1::timestamptz)::float8 + number * source.every_s + source.phase_s
               + (hashint8extended(number, source.device_no) & 2047) / 1000::float8) as observed_at,
           case when hashint8extended(number * source.every_s / 3600, -source.device_no) & 63 = 0
                then interval '2 hours' else interval '150 ms' end as lag,
           sin(number * source.every_s * 2 * pi() / 86400) as tide
    from growth.sources source
    cross join generate_series($2::bigint * 86400 / source.every_s, ($2::bigint + 1) * 86400 / source.every_s - 1) number
    where source.off_from_s is null
       or number * source.every_s % 86400 not between source.off_from_s and source.off_from_s + 5399
), measured as materialized (
    select ticks.*, kind.vital, kind.place - 1 as item, hashint8extended(seq, device_no * 16 + kind.vital) as chance
    from ticks cross join lateral unnest(vitals) with ordinality as kind (vital, place)
)
select person_no, measured.vital, observed_at, device_no, epoch, seq, item::smallint,
       round((usual + swing * (tide + person_no % 7 / 7::float8) + noise * ((chance & 65535) / 65535::float8 - 0.5)) * grain) / grain
           as value,
       case when chance >> 16 & 511 = 0 then 32 else 0 end as flags, observed_at + lag as received_at
from measured join growth.vitals shape on shape.vital = measured.vital
order by received_at, device_no, seq, item;

-- name: doctors
-- The first $1 people are in the care of one doctor, all others in that of a second, from $2 on.
with made as (
    insert into doctors (email, display_name)
    values ('first@example.org', 'Dr First'), ('second@example.org', 'Dr Second') returning doctor_no, email
), addressed as (
    insert into contact_addresses (doctor_no, channel, address) select doctor_no, 'email', email from made
)
insert into care_relations (doctor_no, person_no, valid)
select doctor_no, person_no, tstzrange($2, null) from people
join made on (email = 'first@example.org') = (person_no <= $1::integer);

-- name: findings
-- A finding of everybody each month for a year from $1, and the one behind the alert that is not closed (episode 13).
insert into findings (finding_id, person_no, home_no, rule, rule_version, episode, level, severity, observed_at, raised_at,
                      evidence, doctor_text, caregiver_text, rationale, claimed_at)
select md5('finding ' || person_no || ' ' || episode)::uuid, person_no, home_no,
       (array['heart_rate', 'spo2', 'glucose_low', 'silent_device', 'missed_dose'])[1 + person_no % 5], 1, episode, 1,
       (array[2, 3, 3, 0, 1])[1 + person_no % 5], raised.at, raised.at + interval '1 s',
       '{"value": 131, "limit": 120, "readings": [[1, 2, 3], [1, 3, 3], [1, 4, 3]]}',
       'Heart rate at rest 131 /min for ten minutes, the limit is 120; three readings, the first at 09:12.',
       'The pulse has been fast for ten minutes. Please see how they are.',
       'Resting tachycardia above 120 for ten minutes: NEWS2 gives two points from 111.', raised.at + interval '1 s'
from people cross join generate_series(1, 13) episode
cross join lateral (
    select $1::timestamptz + (episode % 13 * 28 + person_no % 28) * interval '1 day' + person_no * interval '1 min' as at
) raised;

-- name: alerts
-- One alert a finding. The last of each person is open or, two of five times, acknowledged; all others are closed.
insert into alerts (alert_id, home_no, person_no, rule, concern, severity, level, active_severity, active_level, state,
                    episode, active_episodes, first_at, opened_at, condition_at, doctor_text, caregiver_text, rationale, ended_at, acknowledged_at, acknowledged_by,
                    closed_at)
select md5('alert ' || finding_id)::uuid, home_no, person_no, rule, rule, severity, level, severity, level, stands.state, episode,
       case when stands.state = 'closed' then '{}' else array[episode] end, raised_at, raised_at, observed_at, doctor_text,
       caregiver_text, rationale, case when stands.state = 'closed' then raised_at + interval '1 hour' end,
       case when stands.state <> 'open' then raised_at + interval '20 min' end,
       case when stands.state <> 'open' then 1 end,
       case when stands.state = 'closed' then raised_at + interval '1 hour' end
from findings
cross join lateral (select case when episode < 13 then 'closed' when person_no % 5 < 3 then 'open' else 'acknowledged' end)
    as stands (state);

-- name: alert_findings
-- Which finding an alert rests on.
insert into alert_findings (finding_id, alert_id) select finding_id, md5('alert ' || finding_id)::uuid from findings;

-- name: dose_plans
-- Those who have a dispenser take two doses a day from $1 on.
with plans as (
    insert into dose_plans (plan_id, person_no)
    select md5('plan ' || device_no)::uuid, person_no
    from devices join bindings using (device_no) where device_type = 'pill_dispenser'
    returning plan_id
)
insert into dose_plan_versions (plan_id, valid, device_no, compartment, drug, at_times, zone, made_at)
select plan_id, tstzrange($1, null), device_no, 1, 'Metformin', '{08:00,20:00}', 'Europe/Berlin', $1
from plans join devices on plan_id = md5('plan ' || device_no)::uuid;

-- name: doses
-- The doses of $2 days from $1 on; one in 23 was missed.
insert into doses (dose_id, plan_id, version_no, person_no, home_no, device_no, compartment, drug, zone, local_date,
                   early_after, opens_at, due_at, closes_at, missed_at, state, settled_at)
select md5(plan_id || ' ' || day || ' ' || slot)::uuid, plan_id, version_no, plans.person_no, people.home_no, device_no,
       compartment, drug, zone, (at - interval '1 hour')::date, at - interval '4 hours', at - interval '1 hour', at, at + interval '1 hour',
       at + interval '2 hours', case when (day * 2 + slot + plans.person_no) % 23 = 0 then 'missed' else 'taken' end,
       at + interval '2 hours'
from dose_plans plans join dose_plan_versions using (plan_id) join people using (person_no)
cross join generate_series(0, $2::integer - 1) day cross join generate_series(0, 1) slot
cross join lateral (select $1::timestamptz + day * interval '1 day' + slot * interval '12 hours' + interval '7 hours') as due (at);

-- name: dose_evidence
-- What counted as taking them.
insert into dose_evidence (device_no, epoch, seq, item, dose_id, compartment, kind, observed_at, decisive, role)
select device_no, 1, row_number() over (order by due_at, device_no), 0, dose_id, compartment, 6,
       due_at + interval '7 min', true, 'decided'
from doses where state = 'taken';

-- name: present
-- Store and score have come to $1: the platform's present, for those who may see something at this moment.
insert into watermarks (consumer, instance, partition_no, received_at)
values ('store', 'growth', 0, $1::timestamptz), ('score', 'growth', 0, $1::timestamptz)
on conflict (consumer, instance, partition_no) do update set received_at = excluded.received_at;

-- name: worn_out
-- Tables that autovacuum would clean or count by now, by its own rule, for its own workers stand still here.
select format('%I.%I', seen.schemaname, seen.relname) as name
from pg_stat_user_tables seen join pg_class on pg_class.oid = relid
where n_ins_since_vacuum > 1000 + 0.2 * greatest(reltuples, 0) or n_mod_since_analyze > 50 + 0.1 * greatest(reltuples, 0)
order by relid;

-- name: sum_up
-- Block ranges that autovacuum's workers would have summed up by now, where an index asks for that.
select coalesce(sum(brin_summarize_new_values(pg_class.oid)), 0) from pg_class
where relkind = 'i' and 'autosummarize=on' = any (reloptions);

-- name: sizes
-- Bytes of the readings, their indexes and their chunks.
select coalesce(sum(table_bytes), 0)::bigint as table_bytes, coalesce(sum(index_bytes), 0)::bigint as index_bytes,
       count(*) as chunks
from chunks_detailed_size('readings');
