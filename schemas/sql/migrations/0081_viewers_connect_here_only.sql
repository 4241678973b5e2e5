-- The queue of notifications belongs to the whole server: a viewer's session in any database can hold it up. So viewers
-- connect to this database only. PostgreSQL lets everybody connect to a new database until that is revoked there, too
-- (grafana/README.md); whose rights on another database are not ours to change keeps them.
do $$
declare
    other record;
begin
    execute format('revoke connect on database %I from public', current_database());
    execute format('grant connect on database %I to hearthbeat_caregiver, hearthbeat_operator', current_database());
    for other in select datname from pg_database where datallowconn and datname <> current_database()
    loop
        begin
            execute format('revoke connect on database %I from public', other.datname);
        exception
            when insufficient_privilege then
                raise warning 'viewers may still connect to the database %', other.datname;
            when invalid_catalog_name or internal_error then
                null; -- it is just being dropped, or changed by somebody who does the same
        end;
    end loop;
end $$;
