-- name: try_seal_lock
-- Whether nobody else seals until the transaction has ended.
select pg_try_advisory_xact_lock(7001073);

-- name: newest_seal
-- Where the chain ends.
select seal_no, seal, sealed_at from audit.seals order by seal_no desc limit 1;

-- name: somebody_waits
-- Whether any row has no seal yet.
select exists (select from audit.unsealed);

-- name: unsealed
-- The next rows without a seal. One with a low number whose transaction has ended late comes when it is there.
select source, row_no from audit.unsealed order by source, row_no limit $1;

-- name: rows_of_audit
-- Rows by their numbers, as they are sealed.
select audit_no as row_no, happened_at, recorded_at, doctor_no, action, allowed, people, alert_id, address
from audit where audit_no = any ($1::bigint[]);

-- name: rows_of_register_changes
-- Rows by their numbers, as they are sealed.
select change_no as row_no, changed_at, recorded_at, changed_by, command, subject, details
from register_changes where change_no = any ($1::bigint[]);

-- name: rows_of_assignments
-- Rows by their numbers, as they are sealed.
select assignment_no as row_no, assigned_at, recorded_at, device_no, slot, person_no, observed_from, observed_until,
       readings, events, assigned_by, reason
from assignments where assignment_no = any ($1::bigint[]);

-- name: append_seals
-- The next seals of the chain.
insert into audit.seals (seal_no, source, row_no, sealed_at, marks, seal)
select row.seal_no, row.source, row.row_no, $4, row.marks, row.seal
from unnest($1::bigint[], $2::text[], $3::bigint[], $5::bytea[], $6::bytea[])
     as row (seal_no, source, row_no, marks, seal);

-- name: drop_unsealed
-- These rows have their seals.
delete from audit.unsealed held using unnest($1::text[], $2::bigint[]) as row (source, row_no)
where held.source = row.source and held.row_no = row.row_no;

-- name: waiting
-- How many rows wait for their seals, and since when the oldest does.
select count(*) as rows, min(appended_at) as oldest_at from audit.unsealed;

-- name: seals_after
-- The chain from a number on.
select seal_no, source, row_no, sealed_at, marks, seal from audit.seals
where seal_no > $1 and seal_no <= $2 order by seal_no limit $3;

-- name: added_to_audit
-- Of the rows after number $1, $2 at a time: whether each neither has a seal nor waits for one.
select audit_no as row_no,
       not exists (select from audit.seals s where s.source = 'audit' and s.row_no = audit_no)
       and not exists (select from audit.unsealed u where u.source = 'audit' and u.row_no = audit_no) as added
from audit where audit_no > $1 order by audit_no limit $2;

-- name: added_to_register_changes
-- The same of what was done by command.
select change_no as row_no,
       not exists (select from audit.seals s where s.source = 'register_changes' and s.row_no = change_no)
       and not exists (select from audit.unsealed u where u.source = 'register_changes' and u.row_no = change_no) as added
from register_changes where change_no > $1 order by change_no limit $2;

-- name: added_to_assignments
-- The same of what was assigned.
select assignment_no as row_no,
       not exists (select from audit.seals s where s.source = 'assignments' and s.row_no = assignment_no)
       and not exists (select from audit.unsealed u where u.source = 'assignments' and u.row_no = assignment_no) as added
from assignments where assignment_no > $1 order by assignment_no limit $2;

-- name: gone_before_sealed
-- Rows that wait for a seal and are not there.
select source, row_no from audit.unsealed
where not case source
    when 'audit' then exists (select from audit where audit_no = row_no)
    when 'register_changes' then exists (select from register_changes where change_no = row_no)
    else exists (select from assignments where assignment_no = row_no)
end order by source, row_no;

-- name: looks_at_person
-- Who looked at or changed what is about a person ($1 their number, $2 their id), the newest first.
select at, account, what, allowed from (
    select happened_at as at, recorded_at, coalesce(email, '') as account, action as what, allowed
    from audit left join doctors using (doctor_no)
    where people @> array[$1::integer]
       or alert_id in (select alert_id from alerts join people using (home_no) where alerts.person_no = 0 and people.person_no = $1)
    union all
    select changed_at, recorded_at, changed_by, command || case subject when $2::text then '' else ' ' || subject end, true
    from register_changes where subject = $2::text or details ->> 'person' = $2::text or details -> 'people' ? $2::text
    union all
    select assigned_at, recorded_at, assigned_by, 'assign', true from assignments where person_no = $1
) as looks order by at desc, recorded_at desc;

-- name: person_no
-- The number of a person.
select person_no from people where person_id = $1;
