-- Caregiver groups: login roles without any table grant, what each may see of whom, and who answers for them.
-- hearthbeat_panels owns the functions and reads the tables, hearthbeat_caregiver may call them; nobody logs in as either.
do $$
begin
    create role hearthbeat_panels nologin;
exception when duplicate_object or unique_violation then null;
end $$;
do $$
begin
    create role hearthbeat_caregiver nologin;
exception when duplicate_object or unique_violation then null;
end $$;

-- A null list means all of that kind. What was measured outside of valid is never shown, nor anything once it ended.
create table caregiver_grants (
    role_name name not null,
    person_no integer not null references people,
    valid tstzrange not null check (not isempty(valid)),
    vitals smallint[],
    rules text[],
    doses boolean not null default true,
    exclude using gist ((role_name::text) with =, person_no with =, valid with &&)
);

-- What the login role of this session may see at this moment of the platform. The moment is the newest that store or
-- score have committed, never one that a viewer names; while it is not known nobody sees anything.
create view caregiver_scope as
select granted.person_no, people.person_id, people.home_no, people.display_name, granted.valid,
       granted.vitals, granted.rules, granted.doses
from caregiver_grants granted join people using (person_no)
where granted.role_name = session_user
  and granted.valid @> (select max(received_at) from watermarks);

revoke all on caregiver_grants, caregiver_scope from public;
grant select on caregiver_grants, people, homes, devices, readings, watermarks to hearthbeat_panels;
alter view caregiver_scope owner to hearthbeat_panels;
