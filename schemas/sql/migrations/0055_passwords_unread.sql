-- A sign-in finds out whether a password is right without the right to read what passwords are kept as.

-- Whether somebody has a password at all: a session of an account without one is over.
alter table doctors add column has_password boolean not null generated always as (password_hash is not null) stored;

-- Both run as their owner, who owns the table: whoever may call them needs no right on the hashes, and gets none of them.
-- Who signs in under an address, with the salt and the costs of their password's hash, but without the digest.
create function sign_in_of(p_email text)
returns table (doctor_no integer, hash_begins text)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    select doctors.doctor_no, substring(doctors.password_hash from '^.*\$') from doctors where doctors.email = p_email;
end;

-- Whether that is the hash of somebody's password; false of nobody's.
create function password_fits(p_doctor_no integer, p_hash text)
returns boolean
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    select exists (select from doctors where doctors.doctor_no = p_doctor_no and doctors.password_hash = p_hash);
end;

revoke all on function sign_in_of(text), password_fits(integer, text) from public;
