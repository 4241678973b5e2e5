-- name: set_password
-- The number of the doctor whose password it is now.
update doctors set password_hash = $2 where email = $1 returning doctor_no;

-- name: end_sessions_of
-- Signs a doctor out everywhere; a password that was given to sign in is good for nothing.
with waiting as (delete from pending_sign_ins where doctor_no = $1)
delete from sessions where doctor_no = $1;

-- name: disabled
-- Whether the account of a doctor is disabled; locked until the transaction ends.
select disabled_at is not null as disabled from doctors where email = $1 for update;

-- name: disable
-- From now on nobody signs in with the account, and no session of it is good.
update doctors set disabled_at = $2, password_hash = null where email = $1 returning doctor_no;

-- name: enable
-- The account may have a password again.
update doctors set disabled_at = null where email = $1;

-- name: forget_browsers_of
-- No browser is known to be the account's.
delete from device_cookies where account = $1;

-- name: forget_reset_of
-- A link that was made to set a doctor's password is good no longer.
delete from password_resets where doctor_no = $1;

-- name: remove_second_factor
-- The number of the doctor who had a second factor, and has none now.
delete from second_factors using doctors where doctors.doctor_no = second_factors.doctor_no and email = $1
returning doctors.doctor_no;

-- name: account
-- Who signs in under an address, and what their password has to be hashed with.
select doctor_no, hash_begins from sign_in_of($1);

-- name: fits
-- Whether $2 is the hash of a doctor's password; false where there is no such doctor.
select password_fits($1, $2);

-- name: begin_attempt
-- An attempt counts as failed until it is known to be something else. If the cookie that came with it is one of this
-- account, its number is kept and returned.
insert into sign_in_attempts (account, address, attempted_at, outcome, cookie_no)
values ($1, $2, $3, 'failed', (
    select cookie_no from device_cookies where cookie_hash = $4 and account = $1 and ends_at > $3
))
returning attempt_no, cookie_no;

-- name: recent_failures
-- What speaks for and against an attempt: failures since $4, the newest one elsewhere, an earlier success here. Nothing is
-- counted beyond 30, which no limit exceeds, and each count is read from the end of an index of its own.
select
    (select count(*) from (
        select from sign_in_attempts
        -- One expression in one index. With an index for each part, a planner took the one that a
        -- flood had filled.
        where outcome = 'failed' and encode(account, 'hex') || address = encode($1::bytea, 'hex') || $2::text
          and attempted_at > $4 and attempt_no < $3
        order by attempted_at desc limit 30
    ) as newest) as together,
    (select count(*) from (
        select from sign_in_attempts
        where outcome = 'failed' and address = $2 and attempted_at > $4 and attempt_no < $3
        order by attempted_at desc limit 30
    ) as newest) as of_address,
    (select count(*) from (
        select from sign_in_attempts
        where outcome = 'failed' and account = $1 and attempted_at > $4 and attempt_no < $3
        order by attempted_at desc limit 30
    ) as newest) as of_account,
    (
        select attempted_at from sign_in_attempts
        where outcome = 'failed' and account = $1 and attempted_at > $4 and attempt_no < $3
        order by attempted_at desc limit 1
    ) as newest_of_account,
    exists (
        select from sign_in_attempts where outcome = 'succeeded' and account = $1 and address = $2
    ) as familiar,
    case when $5::bigint is not null then (select count(*) from (
        select from sign_in_attempts
        where outcome = 'failed' and cookie_no = $5 and attempted_at > $4 and attempt_no < $3
        order by attempted_at desc limit 30
    ) as newest) end as of_device;

-- name: end_attempt
-- What became of an attempt.
update sign_in_attempts set outcome = $2 where attempt_no = $1;

-- name: forget_attempts
-- Attempts older than a moment, of the hundred oldest: each attempt clears away more than it adds, and none has much to do.
delete from sign_in_attempts
where attempt_no = any (array(select attempt_no from sign_in_attempts order by attempt_no limit 100)) and attempted_at < $1;

-- name: is_device
-- Whether a cookie is one that a browser was given.
select exists (select from device_cookies where cookie_hash = $1 and ends_at > $2);

-- name: remember_device
-- A browser that an account has signed in from, until $3.
insert into device_cookies (cookie_hash, account, ends_at) values ($1, $2, $3)
on conflict (cookie_hash, account) do update set ends_at = excluded.ends_at;

-- name: forget_devices
-- Browsers that nobody has signed in from for long.
delete from device_cookies where ends_at <= $1;

-- name: forget_sessions
-- Sessions that ended before a moment.
delete from sessions where ends_at < $1;

-- name: open_session
-- A session under the hash of its cookie.
insert into sessions (session_hash, doctor_no, csrf_token, opened_at, seen_at, ends_at)
values ($1, $2, $3, $4, $4, $5);

-- name: find_session
-- The doctor of a session that has not ended and was seen since $3.
select doctor_no, email, display_name, csrf_token, seen_at, coalesce(proved_at, opened_at) as proved_at
from sessions join doctors using (doctor_no)
where session_hash = $1 and ends_at > $2 and seen_at > $3 and has_password and disabled_at is null;

-- name: touch_session
-- Keeps a session from growing idle.
update sessions set seen_at = $2 where session_hash = $1;

-- name: prove_session
-- Whoever has the session has given the password at $2.
update sessions set proved_at = $2 where session_hash = $1;

-- name: close_session
-- Signs out.
delete from sessions where session_hash = $1;
