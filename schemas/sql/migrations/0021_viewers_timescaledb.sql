-- requires: timescaledb
-- TimescaleDB lets everybody call its own machinery, and some of it asks for no privilege: in
-- 2.19.3 any login drops a chunk of readings with _timescaledb_functions.drop_chunk (DECISIONS.md).
-- Whatever of it changes anything is closed to all but the owner; what only computes stays open,
-- since the planner calls it in the viewer's name.
do $$
declare
    routine record;
begin
    for routine in
        select pg_proc.oid::regprocedure as name
        from pg_depend
        join pg_extension on pg_extension.oid = refobjid and refclassid = 'pg_extension'::regclass
        join pg_proc on pg_proc.oid = objid and classid = 'pg_proc'::regclass
        where pg_extension.extname = 'timescaledb' and pg_proc.provolatile = 'v'
    loop
        execute format('revoke execute on routine %s from public', routine.name);
    end loop;
end $$;
