-- Which database the platform knows, when it was restored last (platform time), and how far store has come in the log:
-- so that a database that is another one, or went back in time, is noticed. cluster null: not noted yet.
alter table platform add column cluster text, add column restored_at timestamptz;

create table store_positions (
    partition_no integer primary key,
    position bigint not null
);

-- The system identifier, which another cluster does not have, and the timeline, which a promotion or a recovery to a
-- moment begins. The control file shows a new timeline only after the next checkpoint, the name of the log file at once.
create function current_cluster() returns text language sql volatile
return (
    select system_identifier || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) from pg_control_system()
);
revoke execute on function current_cluster() from public;
