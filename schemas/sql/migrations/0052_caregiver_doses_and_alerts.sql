-- What a caregiver's panels ask about medication and alerts: the sentence for caregivers, never the doctor's.

-- The doses of the home's own calendar day that holds at_time, and of the days before it.
create function caregiver_doses(person uuid, at_time timestamptz, days integer)
returns table (local_date date, due_at timestamptz, drug text, state text, taken_at timestamptz, time_critical boolean)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    select doses.local_date, doses.due_at, plans.drug, doses.state, evidence.observed_at, plans.time_critical
    from caregiver_scope scope
    join homes on homes.home_no = scope.home_no
    cross join (select least(greatest(days, 1), 366) as days) wanted
    join doses
      on doses.person_no = scope.person_no
     and doses.local_date > (at_time at time zone homes.time_zone)::date - wanted.days
     and doses.local_date <= (at_time at time zone homes.time_zone)::date
     and doses.due_at <@ scope.valid
    join dose_plans plans on plans.plan_id = doses.plan_id
    left join dose_evidence evidence on evidence.dose_id = doses.dose_id and evidence.decisive
    where scope.person_id = person and scope.doses
    order by doses.due_at, plans.drug;
end;

-- What waits for the doctor or is being dealt with; an emergency that is nobody's in particular is the whole home's.
create function caregiver_alerts(person uuid)
returns table (opened_at timestamptz, rule text, severity smallint, state text, over boolean, unverified boolean,
               caregiver_text text)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    select alerts.opened_at, alerts.rule, alerts.severity, alerts.state, alerts.ended_at is not null,
           alerts.unverified, alerts.caregiver_text
    from caregiver_scope scope
    join alerts
      on (alerts.person_no = scope.person_no or alerts.person_no = 0 and alerts.home_no = scope.home_no)
     and alerts.state <> 'closed'
     and alerts.opened_at <@ scope.valid
    where scope.person_id = person
      and (scope.rules is null or alerts.rule = any (scope.rules))
    order by alerts.severity desc, alerts.opened_at;
end;

revoke all on function caregiver_doses(uuid, timestamptz, integer), caregiver_alerts(uuid) from public;
grant execute on function caregiver_doses(uuid, timestamptz, integer), caregiver_alerts(uuid) to hearthbeat_caregiver;
grant select on doses, dose_plans, dose_evidence, alerts to hearthbeat_panels;
alter function caregiver_doses(uuid, timestamptz, integer) owner to hearthbeat_panels;
alter function caregiver_alerts(uuid) owner to hearthbeat_panels;
