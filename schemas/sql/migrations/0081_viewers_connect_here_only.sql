-- The queue of notifications belongs to the whole server: a viewer's session in any database can hold it up. So viewers
-- connect to this database only. Every other login that may connect to a database now is given that right by name before
-- it is taken from the public. PostgreSQL lets everybody connect to a new database until that is revoked there, too
-- (grafana/README.md); whose rights on another database are not ours to change keeps them.
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
                where rolcanlogin and not rolsuper and has_database_privilege(oid, base.datname, 'connect')
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
    execute format('grant connect on database %I to hearthbeat_caregiver, hearthbeat_operator', current_database());
end $$;
