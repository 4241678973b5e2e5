-- name: morning_lists_of
-- The morning lists of a doctor, the newest first, before the day $2 where that is set; whether each was handed over.
select list.list_no, list.day, list.zone, list.since, list.made_at,
       (select count(*) from morning_list_entries entry where entry.list_no = list.list_no) as entries
from morning_lists list
where list.doctor_no = $1 and ($2::date is null or list.day < $2) order by list.day desc limit $3;

-- name: find_morning_list
-- A doctor's list of the day $2; of the newest day where that is not set.
select list.list_no, list.day, list.zone, list.since, list.made_at,
       (select count(*) from morning_list_entries entry where entry.list_no = list.list_no) as entries
from morning_lists list
where list.doctor_no = $1 and ($2::date is null or list.day = $2) order by list.day desc limit 1;

-- name: entries_of_morning_list
-- What a list names, in its order, about people in the doctor's care now; with the alert as it stands now.
select entry.place, entry.kind, entry.person_no, entry.rule, entry.severity, entry.alert_id, entry.waiting,
       coalesce(people.display_name, homes.label) as subject, people.person_id, homes.label, homes.time_zone,
       coalesce(alerts.doctor_text, found.doctor_text) as doctor_text,
       coalesce(found.observed_at, alerts.condition_at, held.observed_at) as observed_at, found.raised_at, alerts.state, alerts.ended_at,
       alerts.episodes, held.unit, mate.display_name as fits_name,
       (select array_agg(h.vital order by h.item) from held_readings h where h.measurement_id = held.measurement_id) as vitals,
       held.state as held_state
from morning_list_entries entry
join homes on homes.home_no = entry.home_no
left join people on people.person_no = entry.person_no
left join alerts on alerts.alert_id = entry.alert_id
left join findings found on found.finding_id = entry.finding_id
left join held_readings held on held.held_id = entry.held_id
left join people mate on mate.person_no = held.fits_person_no and mate.home_no = entry.home_no
    and in_care($1, mate.person_no, mate.home_no, $2)
where entry.list_no = $3
  and (entry.person_no in (select person_no from people_in_care($1, $2))
       or (entry.person_no = 0 and entry.home_no in (select home_no from people_in_care($1, $2))))
order by entry.place;

-- name: sendings_of_morning_list
-- Over which channels a list was sent, and how that stands. Times are real.
select channel, state, attempts, sent_at from morning_list_sendings where list_no = $1 order by channel;
