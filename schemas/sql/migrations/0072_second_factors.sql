-- A second factor: codes of half a minute from a secret that a doctor's phone has too, and codes for when the phone is lost.

-- All times are real time. The secret is sealed with keys that the database does not have. Until confirmed_at nothing asks
-- for a code. last_step is the newest half minute since 1970 of which a code was taken: none is taken twice. failures are
-- wrong codes since the last right one.
create table second_factors (
    doctor_no integer primary key references doctors,
    sealed bytea not null,
    begun_at timestamptz not null,
    confirmed_at timestamptz,
    last_step bigint not null default 0,
    failures integer not null default 0,
    failed_at timestamptz
);

-- Each is good once. Only hashes are kept; they are of random text, so nobody guesses what was hashed.
create table recovery_codes (
    doctor_no integer not null references second_factors on delete cascade,
    code_hash bytea not null,
    primary key (doctor_no, code_hash)
);

-- Whoever has given a password and owes the code. It opens nothing; only the hash of the cookie is kept. Real time.
create table pending_sign_ins (
    pending_hash bytea primary key,
    doctor_no integer not null references doctors,
    attempt_no bigint not null,
    ends_at timestamptz not null
);
create index pending_sign_ins_by_doctor on pending_sign_ins (doctor_no);
