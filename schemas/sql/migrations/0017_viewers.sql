-- Viewers, who may send any SQL: their roles, and what everybody may by default and is taken away.

-- hearthbeat_panels owns the functions and views that panels ask and reads the tables;
-- hearthbeat_caregiver may call the ones, hearthbeat_operator the others. Nobody logs in as any of
-- them.
do $$
declare
    wanted name;
begin
    foreach wanted in array '{hearthbeat_panels, hearthbeat_caregiver, hearthbeat_operator}'::name[]
    loop
        begin
            execute format('create role %I nologin', wanted);
        exception when duplicate_object or unique_violation then
            null; -- roles are the server's: another of its databases has them, or just makes them
        end;
    end loop;
end $$;

-- What a viewer could do harm with: temporary tables, new objects, locks that our services wait
-- for, large objects. Where the migrating role does not own the server, the last two stay as they
-- are.
do $$
begin
    execute format('revoke temporary on database %I from public', current_database());
end $$;
revoke create on schema public from public;

do $$
declare
    open_to_all regprocedure;
begin
    for open_to_all in
        select oid from pg_proc
        where pronamespace = 'pg_catalog'::regnamespace
          and (proname like 'pg\_advisory%' or proname like 'pg\_try\_advisory%'
               or proname in ('lo_creat', 'lo_create', 'lo_from_bytea'))
    loop
        execute format('revoke execute on function %s from public', open_to_all);
    end loop;
exception when insufficient_privilege then
    raise warning 'viewers keep the right to take advisory locks and to make large objects';
end $$;

-- The queue of notifications belongs to the whole server: a viewer's session in any database can
-- hold it up. So viewers connect to this database only. Every other login that may connect to a
-- database now is given that right by name before it is taken from the public. PostgreSQL lets
-- everybody connect to a new database until that is revoked there, too (grafana/README.md); whose
-- rights on another database are not ours to change keeps them.
do $$
declare
    base record;
    login record;
begin
    for base in select datname from pg_database where datallowconn
    loop
        begin
            for login in
                select rolname from pg_roles
                where rolcanlogin and not rolsuper
                  and has_database_privilege(oid, base.datname, 'connect')
                  and not pg_has_role(oid, 'hearthbeat_caregiver', 'usage')
                  and not pg_has_role(oid, 'hearthbeat_operator', 'usage')
            loop
                execute format('grant connect on database %I to %I', base.datname, login.rolname);
            end loop;
            execute format('revoke connect on database %I from public', base.datname);
        exception
            when insufficient_privilege then
                raise warning 'viewers may still connect to the database %', base.datname;
            when invalid_catalog_name or internal_error then
                null; -- it is just being dropped, or changed by somebody who does the same
        end;
    end loop;
    execute format(
        'grant connect on database %I to hearthbeat_caregiver, hearthbeat_operator',
        current_database()
    );
end $$;
