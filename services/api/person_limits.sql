-- name: lock_limits_of
-- So that two changes of a person's limits come one after the other. A lock on their row would take the right to change it.
select pg_advisory_xact_lock(7001071, $1);

-- name: own_limits
-- Every version of limits of a person's own, also of what begins later: the newest first.
select limit_no, person_no, region, condition, concern, levels, off, clear_min, worse_by, withdrawn, source, signed_off_by,
       author, reason, valid_from, written_at
from limits where person_no = $1 order by valid_from desc, limit_no desc;

-- name: drop_unbegun_limits
-- Own limits of a person and concern that would only have begun at $3 or later.
delete from limits where person_no = $1 and concern = $2 and valid_from >= $3;

-- name: add_own_limits
-- One version of a person's own limits.
insert into limits (person_no, concern, levels, off, clear_min, worse_by, withdrawn, source, signed_off_by, author, doctor_no,
                    reason, valid_from, written_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: ask_back_test
-- For score, which looks for such rows; none where $12 of this doctor wait already. Gives the id.
insert into back_tests (back_test_id, person_no, concern, levels, off, clear_min, worse_by, reason, days, asked_by, asked_at)
select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
where (select count(*) from back_tests where asked_by = $10 and done_at is null) < $12
returning back_test_id;

-- name: back_test_of
-- A back-test of a person, with how much of it is done.
select b.*, coalesce(p.share, 0) as share from back_tests b left join back_test_progress p using (back_test_id)
where b.back_test_id = $1 and b.person_no = $2;
