-- Lists of alerts ask once who is in a doctor's care, not again for every alert.
create function people_in_care(p_doctor integer, p_at timestamptz)
returns table (person_no integer, home_no integer)
language sql stable
begin atomic
    select people.person_no, people.home_no
    from care_relations care join people on people.person_no = care.person_no
    where care.doctor_no = p_doctor and care.valid @> p_at;
end;

create index alerts_by_time on alerts (opened_at, alert_id);
