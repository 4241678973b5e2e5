-- name: write_down
-- Who changed what in the register.
insert into register_changes (changed_at, recorded_at, changed_by, command, subject, details)
values ($1, $2, $3, $4, $5, $6);

-- name: home
-- A home by its id.
select home_id, label, time_zone from homes where home_id = $1;

-- name: person
-- A person by their id, with their home.
select person_id, display_name, home_id, label, time_zone, born_on from people join homes using (home_no) where person_id = $1;

-- name: doctor
-- A doctor with everybody whom they care for now or will, and where they are notified.
select email, display_name,
       array(
           select person_id from care_relations care join people using (person_no)
           where care.doctor_no = doctors.doctor_no and upper_inf(care.valid) order by person_id
       ) as people,
       (
           select coalesce(jsonb_agg(jsonb_build_object('channel', channel, 'address', address, 'details', details,
                                                     'language', language)), '[]')
           from contact_addresses held where held.doctor_no = doctors.doctor_no
       ) as addresses
from doctors where email = $1;

-- name: without_doctor
-- Those of the people whom nobody cares for.
select person_id from people
where person_id = any ($1::uuid[])
  and not exists (select from care_relations care where care.person_no = people.person_no and upper_inf(care.valid))
order by person_id;

-- name: set_password
-- The password of a doctor who was added just now.
update doctors set password_hash = $2 where email = $1;

-- name: device
-- A device with whose each of its slots is, now or soon.
select device_no, device, device_type, shard, home_id, label, time_zone, removed_at,
       (
           select coalesce(jsonb_agg(jsonb_build_object('slot', slot, 'person_id', person_id) order by slot), '[]')
           from bindings join people using (person_no)
           where bindings.device_no = devices.device_no and upper_inf(valid)
       ) as bindings
from devices join homes using (home_no) where device = $1;

-- name: give_credentials
-- New verifiers of devices. Who was suspended stays so.
insert into device_credentials (device_no, verifier, issued_at)
select device_no, row.verifier, $3 from unnest($1::text[], $2::text[]) as row (device, verifier) join devices using (device)
on conflict (device_no) do update
set verifier = excluded.verifier, issued_at = excluded.issued_at, next_verifier = null, next_from = null;

-- name: remove
-- The device is nobody's from $2 on, and unknown; its rows stay.
with gone as (
    update devices set removed_at = $3 where device_no = $1
), credential as (
    delete from device_credentials where device_no = $1
), claims as (
    update device_claims set withdrawn_at = $3
    where device_no = $1 and used_at is null and withdrawn_at is null
), unborn as (
    delete from bindings where device_no = $1 and upper_inf(valid) and lower(valid) >= $2
)
update bindings set valid = tstzrange(lower(valid), $2)
where device_no = $1 and upper_inf(valid) and lower(valid) < $2;

-- name: plans_of_device
-- Dose plans of people in a device that is to be taken away.
select count(*) from dose_plan_versions where device_no = $1 and upper_inf(valid);

-- name: without_credential
-- Those of the devices that have none.
select device from devices left join device_credentials using (device_no)
where device = any ($1::text[]) and verifier is null order by device;

-- name: give_receiver_secret
-- A new secret of a doctor's channel $2, sealed; those before it end at $5. True where there is such an address.
with held as (
    select doctor_no, channel from contact_addresses join doctors using (doctor_no) where email = $1 and channel = $2
), before as (
    update receiver_secrets s set ends_at = least(s.ends_at, $5)
    from held where (s.doctor_no, s.channel) = (held.doctor_no, held.channel)
)
insert into receiver_secrets (doctor_no, channel, sealed, issued_at)
select doctor_no, channel, $3, $4 from held returning true;

-- name: somebody_listens
-- Whether an instance of ingest has ever taken uplinks here.
select exists (select from ingest_shards);
