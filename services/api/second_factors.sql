-- name: has_second_factor
-- Whether somebody owes a code after their password.
select exists (select from second_factors where doctor_no = $1 and confirmed_at is not null);

-- name: second_factor
-- What there is of a doctor's second factor, and how many codes for a lost phone are left.
select sealed, begun_at, confirmed_at,
    (select count(*) from recovery_codes where recovery_codes.doctor_no = second_factors.doctor_no) as codes_left
from second_factors where doctor_no = $1;

-- name: lock_second_factor
-- The same while a code is looked at: one at a time, so that none is taken twice.
select sealed, begun_at, confirmed_at, last_step, failures, failed_at from second_factors where doctor_no = $1 for update;

-- name: begin_second_factor
-- Offers a secret in the place of one that was not confirmed; nothing where one is in force.
insert into second_factors (doctor_no, sealed, begun_at) values ($1, $2, $3)
on conflict (doctor_no) do update set sealed = excluded.sealed, begun_at = excluded.begun_at
where second_factors.confirmed_at is null;

-- name: confirm_second_factor
-- From now on a code is asked for. That of step $3 has been given.
update second_factors set confirmed_at = $2, last_step = $3 where doctor_no = $1;

-- name: take_step
-- A code was right.
update second_factors set last_step = $2, failures = 0 where doctor_no = $1;

-- name: count_wrong_code
-- A code was wrong.
update second_factors set failures = failures + 1, failed_at = $2 where doctor_no = $1;

-- name: end_second_factor
-- No code is asked for any more; the codes for a lost phone go with it.
delete from second_factors where doctor_no = $1;

-- name: forget_recovery_codes
-- The codes for a lost phone are no longer good.
delete from recovery_codes where doctor_no = $1;

-- name: add_recovery_codes
-- Codes for a lost phone, by their hashes.
insert into recovery_codes (doctor_no, code_hash) select $1, unnest($2::bytea[]);

-- name: use_recovery_code
-- The hash of a code for a lost phone, which is good no longer; nothing where there is none.
delete from recovery_codes where doctor_no = $1 and code_hash = $2 returning code_hash;

-- name: open_pending
-- Somebody has given a password and owes a code until $4.
insert into pending_sign_ins (pending_hash, doctor_no, attempt_no, ends_at) values ($1, $2, $3, $4);

-- name: find_pending
-- Whose password was given, in which attempt; nothing where too long ago, or where the account is closed.
select doctor_no, email, attempt_no
from pending_sign_ins join doctors using (doctor_no)
where pending_hash = $1 and ends_at > $2 and has_password and disabled_at is null;

-- name: close_pending
-- The code was given.
delete from pending_sign_ins where pending_hash = $1 returning doctor_no;

-- name: forget_pending
-- Those that gave no code in time.
delete from pending_sign_ins where ends_at <= $1;

-- name: end_other_sessions_of
-- Signs a doctor out everywhere but in the session $2.
with waiting as (delete from pending_sign_ins where doctor_no = $1)
delete from sessions where doctor_no = $1 and session_hash <> $2;
