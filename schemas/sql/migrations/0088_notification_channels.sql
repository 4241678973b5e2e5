-- Which channels alert has, written when it starts: an address on any other reaches nobody. Empty: it never ran.
create table notification_channels (
    channel text primary key
);

-- As before, but for now an address counts only on a channel that there is. At 'infinity', what a register file is judged
-- by, any address counts: a channel that is set up later is no matter of the file.
create or replace function people_without_recipient(p_at timestamptz)
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
        cross join (
            select p_at = 'infinity' or not exists (select from notification_channels) as any_will_do
        ) channels
        where care.person_no = people.person_no and care.valid @> p_at and (
            doctors.email_alerts and (
                channels.any_will_do or exists (select from notification_channels one where one.channel = 'email')
            )
            or doctors.webhook is not null and (
                channels.any_will_do or exists (select from notification_channels one where one.channel = 'webhook')
            )
        )
    );
end;
