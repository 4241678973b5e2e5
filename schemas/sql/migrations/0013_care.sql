-- Questions about care: who is in whose, and who is monitored without anybody to notify.

-- Whether a doctor cares for a person (or, with person 0, for anybody of the home) at a moment.
create function in_care(p_doctor integer, p_person integer, p_home integer, p_at timestamptz)
returns boolean
language sql stable
return exists (
    select from care_relations care join people using (person_no)
    where care.doctor_no = p_doctor and care.valid @> p_at
      and (people.person_no = p_person or (p_person = 0 and people.home_no = p_home))
);

-- Lists of alerts ask once who is in a doctor's care, not again for every alert.
create function people_in_care(p_doctor integer, p_at timestamptz)
returns table (person_no integer, home_no integer)
language sql stable
begin atomic
    select people.person_no, people.home_no
    from care_relations care join people on people.person_no = care.person_no
    where care.doctor_no = p_doctor and care.valid @> p_at;
end;

-- Who is monitored (a device or a dose plan is theirs) without a recipient: no doctor with an
-- address cares for them. One function, so that register, worklist, watch and the command
-- `without-recipient` cannot disagree. For now an address counts only on a channel that exists. At
-- 'infinity' it says what will be so for good, because what is open has no end; a register file is
-- judged by that, and there any address counts: a channel that is set up later is no matter of the
-- file.
create function people_without_recipient(p_at timestamptz)
returns table (person_no integer, person_id uuid, has_doctor boolean)
language sql stable
begin atomic
    select people.person_no, people.person_id, exists (
        select from care_relations care
        where care.person_no = people.person_no and care.valid @> p_at
    )
    from people
    where (
        exists (
            select from bindings
            where bindings.person_no = people.person_no and bindings.valid @> p_at
        )
        or exists (
            select from dose_plans plan
            where plan.person_no = people.person_no and plan.valid @> p_at
        )
    ) and not exists (
        select from care_relations care
        join contact_addresses held on held.doctor_no = care.doctor_no
        where care.person_no = people.person_no and care.valid @> p_at and (
            p_at = 'infinity'
            or not exists (select from notification_channels)
            or exists (select from notification_channels one where one.channel = held.channel)
        )
    );
end;
