-- name: held_of_person
-- Measurements that may not be those of person $1, since $2, and all that wait: these first. Whom they fit is named where
-- that person still lives there and is in the care of doctor $3 at $4.
select h.measurement_id, h.observed_at, h.reason, h.unit, h.is_held, h.state, h.decided_at, h.device_no,
       devices.device_type, mate.person_id as fits_person_id, mate.display_name as fits_name,
       decider.display_name as decided_by, h.is_mine, h.said_at,
       array_agg(h.vital order by h.item) as vitals, array_agg(h.value order by h.item) as values,
       array_agg(h.meant order by h.item) as meant
from held_readings h join devices using (device_no)
left join people mate on mate.person_no = h.fits_person_no and mate.home_no = h.home_no
    and in_care($3, mate.person_no, mate.home_no, $4)
left join doctors decider on decider.doctor_no = h.decided_by
where h.person_no = $1 and (h.observed_at >= $2 or h.state = 'open')
  -- What was moved to somebody is theirs.
  and (h.state <> 'moved' or mate.person_no is not null)
group by h.measurement_id, h.observed_at, h.reason, h.unit, h.is_held, h.state, h.decided_at, h.device_no,
         devices.device_type, mate.person_id, mate.display_name, decider.display_name, h.is_mine, h.said_at
order by h.state <> 'open', h.observed_at desc limit 50;

-- name: held_measurement
-- A measurement, locked, and whose it is taken for.
select h.person_no, people.home_no, h.state, h.decided_by, h.moved_to, mate.person_no as mate_no, mate.home_no as mate_home_no
from held_readings h join people using (person_no)
left join people mate on mate.person_no = h.fits_person_no and mate.home_no = h.home_no
where h.measurement_id = $1 order by h.item limit 1 for update of h;

-- name: whose_held
-- The same without a lock: to admit somebody, and to write down who was not.
select h.person_no, people.home_no from held_readings h join people using (person_no) where h.measurement_id = $1 limit 1;

-- name: decide_held
-- What a doctor says of all readings of a measurement.
update held_readings set state = $2, moved_to = $3, decided_by = $4, decided_at = $5
where measurement_id = $1 and state = 'open';

-- name: held_for_long
-- What is held of people in the care of doctor $1 at $2, where the first was received by $3; what waits longest comes
-- first. Whom it fits is named as above.
select care.person_no, people.person_id, people.display_name as subject, homes.label, homes.time_zone,
       held.since, held.measurements, held.unit, mate.display_name as fits_name,
       (select array_agg(h.vital order by h.item) from held_readings h where h.measurement_id = held.held_id) as vitals
from people_in_care($1, $2) care
join people on people.person_no = care.person_no join homes on homes.home_no = care.home_no
cross join lateral held_since(care.person_no, $3) held
left join people mate on mate.person_no = held.fits_person_no and mate.home_no = care.home_no
    and in_care($1, mate.person_no, mate.home_no, $2)
order by held.since, held.held_id limit $4;
