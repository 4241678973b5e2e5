-- What PostgreSQL gives to everybody and a viewer could do harm with: temporary tables, new objects, locks that our
-- services wait for, large objects. Where the migrating role does not own the server, the last two stay as they are.
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
