-- name: lock
-- One registration at a time.
select pg_advisory_xact_lock(7001065);

-- name: people_without_recipient
-- Monitored people about whom nobody would be notified at $1; null: once all that is written has come into force.
select person_id from people_without_recipient(coalesce($1::timestamptz, 'infinity')) order by person_id;

-- name: write_homes
-- New homes, and known ones brought up to date.
insert into homes (home_id, label, time_zone)
select * from unnest($1::uuid[], $2::text[], $3::text[])
on conflict (home_id) do update set label = excluded.label, time_zone = excluded.time_zone;

-- name: end_residences
-- Of the people $1 who move to another one of the homes $2: they live where they lived until $3; who has never moved has
-- no row yet.
with moving as (
    select people.person_no, people.home_no
    from unnest($1::uuid[], $2::uuid[]) as row (person_id, home_id) join people using (person_id) join homes using (home_id)
    where people.home_no <> homes.home_no
), unborn as (
    delete from residences using moving where residences.person_no = moving.person_no and lower(valid) >= $3
), ended as (
    update residences set valid = tstzrange(lower(valid), $3::timestamptz) from moving
    where residences.person_no = moving.person_no and (lower_inf(valid) or lower(valid) < $3)
      and (upper_inf(valid) or upper(valid) > $3)
)
insert into residences (person_no, home_no, valid)
select person_no, home_no, tstzrange(null, $3::timestamptz) from moving
where not exists (select from residences held where held.person_no = moving.person_no);

-- name: begin_residences
-- Of the people $1 who move to another one of the homes $2: they live there from $3 on.
insert into residences (person_no, home_no, valid)
select people.person_no, homes.home_no, tstzrange($3::timestamptz, null)
from unnest($1::uuid[], $2::uuid[]) as row (person_id, home_id) join people using (person_id) join homes using (home_id)
where people.home_no <> homes.home_no;

-- name: write_people
-- New people, and known ones brought up to date.
insert into people (person_id, home_no, display_name, born_on)
select row.person_id, homes.home_no, row.display_name, row.born_on
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::date[]) as row (person_id, home_id, display_name, born_on)
join homes using (home_id)
on conflict (person_id) do update
set home_no = excluded.home_no, display_name = excluded.display_name, born_on = excluded.born_on;

-- name: new_devices
-- Those of the names that are not registered yet.
select name from unnest($1::text[]) as name where not exists (select from devices where device = name);

-- name: write_devices
-- New devices, and known ones brought up to date; the shard stays what it was.
insert into devices (device, device_type, home_no, shard, registered_at)
select row.device, row.device_type, homes.home_no, row.shard, $5
from unnest($1::text[], $2::text[], $3::uuid[], $4::smallint[]) as row (device, device_type, home_id, shard)
join homes using (home_id)
on conflict (device) do update
set device_type = excluded.device_type, home_no = excluded.home_no, removed_at = null;

-- name: unknown_people
-- Those of the ids that nobody has.
select id from unnest($1::uuid[]) as id where not exists (select from people where person_id = id) limit 5;

-- name: unknown_devices
-- Those of the names that no device has.
select name from unnest($1::text[]) as name where not exists (select from devices where device = name) limit 5;

-- name: drop_unborn_bindings
-- Open bindings of the listed devices that are no longer wanted and would only have begun at $5 or later.
with wanted as (
    select * from unnest($2::text[], $3::smallint[], $4::uuid[]) as row (device, slot, person_id)
)
delete from bindings using devices
where bindings.device_no = devices.device_no and devices.device = any ($1::text[]) and lower(valid) >= $5
  and upper_inf(valid) and not exists (
    select from wanted join people using (person_id)
    where wanted.device = devices.device and wanted.slot = bindings.slot and people.person_no = bindings.person_no
);

-- name: end_bindings
-- Closes at $5 the open bindings of the listed devices that are no longer wanted.
with wanted as (
    select * from unnest($2::text[], $3::smallint[], $4::uuid[]) as row (device, slot, person_id)
)
update bindings set valid = tstzrange(lower(valid), $5::timestamptz) from devices
where bindings.device_no = devices.device_no and devices.device = any ($1::text[]) and upper_inf(valid)
  and not exists (
    select from wanted join people using (person_id)
    where wanted.device = devices.device and wanted.slot = bindings.slot and people.person_no = bindings.person_no
);

-- name: begin_bindings
-- Opens the wanted bindings that are not open: at $4 on new devices ($6), at $5 on others.
insert into bindings (device_no, slot, person_no, valid)
select device_no, slot, person_no, tstzrange(case when device = any ($6::text[]) then $4::timestamptz else $5::timestamptz end, null)
from unnest($1::text[], $2::smallint[], $3::uuid[]) as wanted (device, slot, person_id)
join devices using (device) join people using (person_id)
where not exists (
    select from bindings held
    where held.device_no = devices.device_no and held.slot = wanted.slot and upper_inf(held.valid)
);

-- name: write_doctors
-- New doctors, and known ones brought up to date; a password is set apart from this.
insert into doctors (email, display_name)
select * from unnest($1::text[], $2::text[])
on conflict (email) do update set display_name = excluded.display_name;

-- name: disabled_doctors
-- Those of the doctors whose accounts are disabled.
select email from doctors where email = any ($1::text[]) and disabled_at is not null order by email limit 5;

-- name: write_addresses
-- Where the doctors $1 are notified: at the addresses $2 to $6 and nowhere else.
with wanted as (
    select doctor_no, row.channel, row.address, row.details, row.language
    from unnest($2::text[], $3::text[], $4::text[], $5::boolean[], $6::text[])
         as row (email, channel, address, details, language)
    join doctors using (email)
), gone as (
    delete from contact_addresses held using doctors
    where held.doctor_no = doctors.doctor_no and doctors.email = any ($1::text[])
      and (held.doctor_no, held.channel) not in (select doctor_no, channel from wanted)
)
insert into contact_addresses (doctor_no, channel, address, details, language) select * from wanted
on conflict (doctor_no, channel) do update set
    address = excluded.address, details = excluded.details, language = excluded.language;

-- name: unknown_channels
-- Those of the names that alert has not said it has.
select name from unnest($1::text[]) as name
where not exists (select from notification_channels where channel = name) limit 5;

-- name: drop_unborn_care
-- Care that is no longer wanted and had not begun before $4.
delete from care_relations care using doctors, people
where care.doctor_no = doctors.doctor_no and care.person_no = people.person_no and upper_inf(care.valid)
  and lower(care.valid) >= $4 and doctors.email = any ($1::text[])
  and (doctors.email, people.person_id) not in (select * from unnest($2::text[], $3::uuid[]))
returning doctors.email, people.person_id;

-- name: end_care
-- Ends at $4 the care of the listed doctors for people who are no longer theirs.
update care_relations care set valid = tstzrange(lower(care.valid), $4) from doctors, people
where care.doctor_no = doctors.doctor_no and care.person_no = people.person_no and upper_inf(care.valid)
  and doctors.email = any ($1::text[])
  and (doctors.email, people.person_id) not in (select * from unnest($2::text[], $3::uuid[]))
returning doctors.email, people.person_id;

-- name: begin_care
-- Begins at $3 the care that is wanted and not in force.
with begun as (
    insert into care_relations (doctor_no, person_no, valid)
    select doctor_no, person_no, tstzrange($3::timestamptz, null)
    from unnest($1::text[], $2::uuid[]) as wanted (email, person_id)
    join doctors using (email) join people using (person_id)
    where not exists (
        select from care_relations held where held.doctor_no = doctors.doctor_no
        and held.person_no = people.person_no and upper_inf(held.valid)
    )
    returning doctor_no, person_no
)
select email, person_id from begun join doctors using (doctor_no) join people using (person_no);
