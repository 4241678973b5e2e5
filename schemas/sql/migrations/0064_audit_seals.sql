-- The audit can be trusted: it belongs to a role that nobody is, and a chain of seals follows what is appended.

-- Owns what must not be rewritten. Nobody logs in as it, and no service is a member.
do $$
begin
    create role hearthbeat_audit nologin;
exception when duplicate_object or unique_violation then
    null; -- roles are the server's: another of its databases has it, or just makes it
end $$;
create schema audit authorization hearthbeat_audit;

-- Rows of the audit without a seal. Whoever appends one appends this too, in one transaction, so none is passed over
-- whatever the order of commits. appended_at is the recorded_at of the row.
create table audit.unsealed (
    source text not null,
    row_no bigint not null,
    appended_at timestamptz not null,
    primary key (source, row_no)
);

-- seal is SHA-256 over the seal before it and all that the row says; seal_no begins at 1 and leaves no number out. marks
-- has four bytes a column, by which a changed column is named. sealed_at is the machine's time.
create table audit.seals (
    seal_no bigint primary key check (seal_no > 0),
    source text not null check (source in ('audit', 'register_changes', 'assignments')),
    row_no bigint not null,
    sealed_at timestamptz not null,
    marks bytea not null,
    seal bytea not null check (length(seal) = 32),
    unique (source, row_no)
);
create trigger seals_are_append_only before update or delete or truncate on audit.seals
for each statement execute function refuse_audit_change();

-- With its owner's rights: who appends needs none on the schema.
create function audit.await_seal() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if tg_table_name = 'audit' then
        insert into audit.unsealed values ('audit', new.audit_no, new.recorded_at);
    elsif tg_table_name = 'register_changes' then
        insert into audit.unsealed values ('register_changes', new.change_no, new.recorded_at);
    else
        insert into audit.unsealed values ('assignments', new.assignment_no, new.recorded_at);
    end if;
    return null;
end
$$;
revoke execute on function audit.await_seal() from public;
create trigger awaits_seal after insert on audit for each row execute function audit.await_seal();
create trigger awaits_seal after insert on register_changes for each row execute function audit.await_seal();
create trigger awaits_seal after insert on assignments for each row execute function audit.await_seal();

-- What is there already.
insert into audit.unsealed (source, row_no, appended_at)
select 'audit', audit_no, recorded_at from audit
union all select 'register_changes', change_no, recorded_at from register_changes
union all select 'assignments', assignment_no, recorded_at from assignments;

-- Also in a session that calls itself a replica.
alter table audit enable always trigger audit_is_append_only;
alter table register_changes enable always trigger register_changes_are_append_only;
alter table assignments enable always trigger assignments_are_append_only;
alter table audit.seals enable always trigger seals_are_append_only;

alter table audit owner to hearthbeat_audit;
alter table register_changes owner to hearthbeat_audit;
alter table assignments owner to hearthbeat_audit;
alter table audit.unsealed owner to hearthbeat_audit;
alter table audit.seals owner to hearthbeat_audit;
alter function audit.await_seal() owner to hearthbeat_audit;
