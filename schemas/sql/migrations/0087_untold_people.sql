-- Who is monitored (a device or a dose plan is theirs) and would nobody be notified about: no doctor with an address cares for
-- them. One function, so that register, worklist, watch and the command `without-recipient` cannot disagree. At 'infinity' it says what
-- will be so for good, because what is open has no end.
create function people_without_recipient(p_at timestamptz)
returns table (person_no integer, person_id uuid, has_doctor boolean)
language sql stable
begin atomic
    select people.person_no, people.person_id, exists (
        select from care_relations care where care.person_no = people.person_no and care.valid @> p_at
    )
    from people
    where (
        exists (select from bindings where bindings.person_no = people.person_no and bindings.valid @> p_at)
        or exists (select from dose_plans plan where plan.person_no = people.person_no and plan.valid @> p_at)
    ) and not exists (
        select from care_relations care join doctors on doctors.doctor_no = care.doctor_no
        where care.person_no = people.person_no and care.valid @> p_at
          and (doctors.email_alerts or doctors.webhook is not null)
    );
end;
