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
