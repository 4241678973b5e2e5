-- name: quiet_hours_in_force
-- The quiet hours of a doctor at a moment.
select quiet_no, begins, ends, zone, lower(valid) as since from quiet_hours
where doctor_no = $1 and valid @> $2::timestamptz;

-- name: lock_doctor
-- So that two changes of a doctor's quiet hours come one after the other.
select doctor_no from doctors where doctor_no = $1 for update;

-- name: end_quiet_hours
-- Those that began before $2 end then.
update quiet_hours set valid = tstzrange(lower(valid), $2) where doctor_no = $1 and valid @> $2::timestamptz and lower(valid) < $2;

-- name: drop_unbegun_quiet_hours
-- Those that have begun at $2 or later have held nothing yet.
delete from quiet_hours where doctor_no = $1 and lower(valid) >= $2;

-- name: begin_quiet_hours
-- From $5 on, until they are ended.
insert into quiet_hours (doctor_no, begins, ends, zone, valid) values ($1, $2, $3, $4, tstzrange($5, null));

-- name: set_time_zone
-- The zone in which a doctor lives.
update doctors set time_zone = $2 where doctor_no = $1 and time_zone is distinct from $2;

-- name: time_zone_of
-- The zone in which a doctor lives; null where they have said none.
select time_zone from doctors where doctor_no = $1;

-- name: held_for
-- How many notifications quiet hours hold for a doctor, and until when the first.
select count(*) as held, min(held_until) as until from notifications where doctor_no = $1 and state = 'held';
