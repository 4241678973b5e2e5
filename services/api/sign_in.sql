-- name: set_password
-- The number of the doctor whose password it is now.
update doctors set password_hash = $2 where email = $1 returning doctor_no;

-- name: end_sessions_of
-- Signs a doctor out everywhere.
delete from sessions where doctor_no = $1;

-- name: account
-- Who signs in under an address.
select doctor_no, password_hash from doctors where email = $1;

-- name: begin_attempt
-- An attempt counts as failed until it is known to be something else.
insert into sign_in_attempts (account, address, attempted_at, outcome) values ($1, $2, $3, 'failed')
returning attempt_no;

-- name: recent_failures
-- What speaks for and against an attempt: failures since $4, the newest one elsewhere, earlier successes here.
select
    count(*) filter (where outcome = 'failed' and account = $1 and address = $2 and attempted_at > $4) as together,
    count(*) filter (where outcome = 'failed' and address = $2 and attempted_at > $4) as of_address,
    count(*) filter (where outcome = 'failed' and account = $1 and attempted_at > $4) as of_account,
    max(attempted_at) filter (where outcome = 'failed' and account = $1) as newest_of_account,
    coalesce(bool_or(outcome = 'succeeded' and account = $1 and address = $2), false) as familiar
from sign_in_attempts where (account = $1 or address = $2) and attempt_no < $3;

-- name: end_attempt
-- What became of an attempt.
update sign_in_attempts set outcome = $2 where attempt_no = $1;

-- name: forget_attempts
-- Attempts older than a moment.
delete from sign_in_attempts where attempted_at < $1;

-- name: forget_sessions
-- Sessions that ended before a moment.
delete from sessions where ends_at < $1;

-- name: open_session
-- A session under the hash of its cookie.
insert into sessions (session_hash, doctor_no, csrf_token, opened_at, seen_at, ends_at)
values ($1, $2, $3, $4, $4, $5);

-- name: find_session
-- The doctor of a session that has not ended and was seen since $3.
select doctor_no, email, display_name, csrf_token, seen_at
from sessions join doctors using (doctor_no)
where session_hash = $1 and ends_at > $2 and seen_at > $3 and password_hash is not null;

-- name: touch_session
-- Keeps a session from growing idle.
update sessions set seen_at = $2 where session_hash = $1;

-- name: close_session
-- Signs out.
delete from sessions where session_hash = $1;
