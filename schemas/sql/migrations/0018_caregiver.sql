-- Caregiver groups: login roles without any table grant, and what each of them may see of whom.

-- A null list means all of that kind. What was measured outside of valid is never shown, nor
-- anything once it ended. With bounds of one kind the times shown can be compared as plain times.
create table caregiver_grants (
    role_name name not null,
    person_no integer not null references people,
    valid tstzrange not null check (not isempty(valid)),
    vitals smallint[],
    rules text[],
    doses boolean not null default true,
    exclude using gist ((role_name::text) with =, person_no with =, valid with &&),
    constraint valid_begins_included_and_ends_excluded
        check ((lower_inc(valid) or lower_inf(valid)) and not upper_inc(valid))
);

-- What the login role of this session may see at this moment of the platform. The moment is the
-- newest that store or score have committed, never one that a viewer names; while it is not known
-- nobody sees anything.
create view caregiver_scope as
select granted.person_no, people.person_id, people.home_no, people.display_name, granted.valid,
       granted.vitals, granted.rules, granted.doses
from caregiver_grants granted join people using (person_no)
where granted.role_name = session_user
  and granted.valid @> (select max(received_at) from watermarks);

revoke all on caregiver_grants, caregiver_scope from public;
alter view caregiver_scope owner to hearthbeat_panels;

grant select on caregiver_grants, people, homes, devices, readings, watermarks, doses,
    dose_plans, dose_evidence, alerts to hearthbeat_panels;
