-- Where doctors are notified: a row a channel, so that a new channel needs no column. A doctor without rows is notified nothing.
create table contact_addresses (
    doctor_no integer not null references doctors on delete cascade,
    channel text not null check (channel ~ '^[a-z][a-z0-9_]{0,31}$'),
    address text not null check (address <> ''),
    primary key (doctor_no, channel)
);
insert into contact_addresses (doctor_no, channel, address)
select doctor_no, 'email', email from doctors where email_alerts
union all
select doctor_no, 'webhook', webhook from doctors where webhook is not null and webhook <> '';

-- As before: for now an address counts only on a channel that alert has (any does while it never ran). At 'infinity', what a
-- register file is judged by, any address counts: a channel that is set up later is no matter of the file.
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
        select from care_relations care join contact_addresses held on held.doctor_no = care.doctor_no
        where care.person_no = people.person_no and care.valid @> p_at and (
            p_at = 'infinity'
            or not exists (select from notification_channels)
            or exists (select from notification_channels one where one.channel = held.channel)
        )
    );
end;
alter table doctors drop column email_alerts, drop column webhook;

-- What an acknowledgement does to an alert is decided in schemas/alert_machine.py, for alert and console alike.
drop function acknowledge_alert(uuid, integer, text, integer, timestamptz);
