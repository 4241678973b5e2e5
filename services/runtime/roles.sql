-- name: role_statements
-- The statements that make a service's role $1, or make of an existing one what it should be, with no more than $2 of 100
-- of the server's connections and $3 ms a statement.
select array_remove(array[
    case when not exists (select from pg_roles where rolname = $1::text) then format('create role %I', $1::text) end,
    format('alter role %I login inherit nosuperuser nocreatedb nocreaterole noreplication nobypassrls connection limit %s',
           $1::text, (select setting::integer from pg_settings where name = 'max_connections') * $2::integer / 100),
    format('alter role %I reset all', $1::text),
    format('alter role %I set statement_timeout = %s', $1::text, $3::integer),
    format('alter role %I set temp_file_limit = ''256MB''', $1::text),
    format('alter role %I set search_path = public', $1::text)
], null);

-- name: password_statement
-- The statement that gives a role the password of which $2 is the verifier.
select format('alter role %I password %L', $1::text, $2::text);

-- name: take_back_statements
-- The statements that take everything back that a role was given by name in this database, and every role that it is in.
-- What a hypertable gives, its chunks give, so they are taken back with it.
select array(
    select format('revoke all on %s %s from %I', held.kind, held.name, role.rolname)
    from (
        select case c.relkind when 'S' then 'sequence' else 'table' end as kind, c.oid::regclass::text as name
        from pg_class c
        where not exists (select from pg_inherits i where i.inhrelid = c.oid) and (
            exists (select from aclexplode(c.relacl) given where given.grantee = role.oid)
            or exists (
                select from pg_attribute a, aclexplode(a.attacl) given
                where a.attrelid = c.oid and given.grantee = role.oid
            )
        )
        union all
        select 'routine', p.oid::regprocedure::text from pg_proc p
        where exists (select from aclexplode(p.proacl) given where given.grantee = role.oid)
        union all
        select 'schema', quote_ident(n.nspname) from pg_namespace n
        where exists (select from aclexplode(n.nspacl) given where given.grantee = role.oid)
        union all
        select 'database', quote_ident(d.datname) from pg_database d
        where d.datname = current_database()
          and exists (select from aclexplode(d.datacl) given where given.grantee = role.oid)
    ) held
    union all
    select format('revoke %I from %I', granted.rolname, role.rolname)
    from pg_auth_members m join pg_roles granted on granted.oid = m.roleid where m.member = role.oid
)
from pg_roles role where role.rolname = $1::text;

-- name: entry_statement
-- The statement that lets a role into this database.
select format('grant connect on database %I to %I', current_database(), $1::text);
