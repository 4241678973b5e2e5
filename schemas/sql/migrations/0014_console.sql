-- The doctor's console: sessions, attempts to sign in, and browsers that doctors signed in from.

-- Sessions live in real time. Only the hash of the cookie is kept.
create table sessions (
    session_hash bytea primary key,
    doctor_no integer not null references doctors,
    csrf_token text not null,
    opened_at timestamptz not null,
    seen_at timestamptz not null,
    ends_at timestamptz not null
);
create index sessions_by_doctor on sessions (doctor_no);

-- Browsers that doctors have signed in from, so that nobody else's failures keep a doctor out of
-- their own. Only the hash of a browser's cookie is kept, with each account that has signed in
-- there. Real time.
create table device_cookies (
    cookie_no bigint primary key generated always as identity,
    cookie_hash bytea not null,
    account bytea not null,
    ends_at timestamptz not null,
    unique (cookie_hash, account)
);
create index device_cookies_by_end on device_cookies (ends_at);

-- The account is a hash, because people type passwords into the wrong field. Real time. cookie_no
-- is set where the cookie that came with an attempt is one of its account.
create table sign_in_attempts (
    attempt_no bigint primary key generated always as identity,
    account bytea not null,
    address text not null,
    attempted_at timestamptz not null,
    outcome text not null check (outcome in ('failed', 'refused', 'succeeded')),
    cookie_no bigint
);

-- What the throttle asks reads a few rows, however many attempts somebody has made. Only failures
-- are asked for by time, and most attempts of a flood are refused ones. Account and address
-- together are one expression, so that no planner takes the index of one of them and looks through
-- all that a flood has left there for the other.
create index sign_in_failures_together
on sign_in_attempts ((encode(account, 'hex') || address), attempted_at)
where outcome = 'failed';
create index sign_in_failures_of_account on sign_in_attempts (account, attempted_at)
where outcome = 'failed';
create index sign_in_failures_of_address on sign_in_attempts (address, attempted_at)
where outcome = 'failed';
create index sign_in_failures_of_cookie on sign_in_attempts (cookie_no, attempted_at)
where outcome = 'failed' and cookie_no is not null;
create index sign_in_successes on sign_in_attempts (account, address) where outcome = 'succeeded';
