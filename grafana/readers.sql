-- name: login_statements
-- The statements that make a login of group $2 with verifier $3, no more than $4 connections and $5 ms a statement.
-- Without jit: over a year of chunks it compiles for half a second what is then read in thirty milliseconds.
select array[
    format('create role %I login nosuperuser nocreatedb nocreaterole noreplication nobypassrls'
           ' connection limit %s password %L', $1::text, $4::integer, $3::text),
    format('grant %I to %I with inherit true, set false, admin false', $2::text, $1::text),
    format('alter role %I set default_transaction_read_only = on', $1::text),
    format('alter role %I set statement_timeout = %s', $1::text, $5::integer),
    format('alter role %I set lock_timeout = 1000', $1::text),
    format('alter role %I set jit = off', $1::text),
    format('alter role %I set idle_in_transaction_session_timeout = 30000', $1::text),
    format('alter role %I set temp_file_limit = ''256MB''', $1::text),
    format('alter role %I set search_path = public', $1::text)
];

-- name: password_statement
-- The statement that gives a login another password.
select format('alter role %I password %L', $1::text, $2::text);

-- name: drop_statement
-- The statement that removes a login.
select format('drop role %I', $1::text);

-- name: groups_of
-- Every role that a role is a member of and whether it may do everything; null where there is no such role.
select case when role.rolsuper then array['superuser'] else array(
    select granted.rolname::text from pg_auth_members membership
    join pg_roles granted on granted.oid = membership.roleid
    where membership.member = role.oid
) end
from pg_roles role where role.rolname = $1::text;

-- name: write_change
-- Who changed what readers see: $1, or where nobody is named the login at the database; $5 is real time.
insert into register_changes (changed_at, recorded_at, changed_by, command, subject, details)
values (coalesce((select max(received_at) from watermarks), $5), $5, coalesce(nullif($1::text, ''), session_user),
        $2, $3, $4::text::jsonb);

-- name: platform_time
-- The newest moment that store or score have committed.
select max(received_at) from watermarks;

-- name: person_numbers
-- The numbers of the people with these ids.
select person_id, person_no from people where person_id = any ($1::uuid[]);

-- name: grant_sight
-- What a role may see of people, from $3 on, until $4 where that is known.
insert into caregiver_grants (role_name, person_no, valid, vitals, rules, doses)
select $1::text, person_no, tstzrange($3, $4), $5::smallint[], $6::text[], $7
from unnest($2::integer[]) as person_no;

-- name: forget_unborn_sight
-- Grants of a role (of person $2, or of everybody) that begin at $3 or later are taken back.
delete from caregiver_grants
where role_name = $1::text::name and ($2::integer is null or person_no = $2) and lower(valid) >= $3;

-- name: end_sight
-- Grants of a role (of person $2, or of everybody) that are in force end at $3.
update caregiver_grants set valid = tstzrange(lower(valid), $3)
where role_name = $1::text::name and ($2::integer is null or person_no = $2) and valid @> $3::timestamptz;

-- name: forget_role
-- Every grant of a role is taken back.
delete from caregiver_grants where role_name = $1::text::name;
