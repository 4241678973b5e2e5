-- name: homes
-- One home for each of $1 people.
insert into homes (home_id, label, time_zone)
select md5('home ' || number)::uuid, 'Home', 'Europe/Berlin' from generate_series(1, $1::integer) number;

-- name: people
-- A person for each home.
insert into people (person_id, home_no, display_name, born_on)
select md5('person ' || home_no)::uuid, home_no, 'Person', date '1940-01-01' from homes;

-- name: devices
-- $1 devices in each home, the last of them a dispenser.
insert into devices (device, device_type, home_no, shard, registered_at)
select 'device-' || home_no || '-' || place,
       case when place = $1::integer then 'pill_dispenser' when place = 1 then 'wearable_band' else 'pressure_cuff' end,
       home_no, home_no % 64, '2026-01-01Z'
from homes cross join generate_series(1, $1::integer) place;

-- name: bindings
-- Every device is its home's person's.
insert into bindings (device_no, person_no, valid)
select device_no, person_no, tstzrange('2026-01-01Z', null) from devices join people using (home_no);

-- name: one_more
-- Another home, so that the registry has changed.
insert into homes (home_id, label, time_zone) values (gen_random_uuid(), 'Home', 'Europe/Berlin') returning home_no;

-- name: one_more_device
-- A device in home $1.
insert into devices (device, device_type, home_no, shard, registered_at)
values ('device-new-' || $1::integer, 'wearable_band', $1::integer, 1, '2026-01-01Z');

-- name: plans
-- A plan for each person.
insert into dose_plans (plan_id, person_no) select md5('plan ' || person_no)::uuid, person_no from people;

-- name: plan_versions
-- Of each plan a version from $1 on, with a dose at $2 each day, in the person's dispenser.
insert into dose_plan_versions (plan_id, valid, device_no, compartment, drug, at_times, zone, made_at)
select plan_id, tstzrange($1::timestamptz, null), device_no, 1, 'Metformin', array[$2::time], 'Europe/Berlin',
       $1::timestamptz
from dose_plans join people using (person_no) join devices using (home_no) where device_type = 'pill_dispenser';

-- name: doses
-- How many doses are planned.
select count(*) from doses;

-- name: reminders
-- How many commands were written.
select count(*) from commands;

-- name: watermark
-- Everything up to $1 has come through, on every partition.
insert into watermarks (consumer, instance, partition_no, received_at)
select consumer, '0', number - 1, $1::timestamptz
from platform cross join generate_series(1, bus_partitions) number
cross join unnest(array['store', 'score']) consumer
on conflict (consumer, instance, partition_no) do update set received_at = excluded.received_at;
