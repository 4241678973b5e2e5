-- A lost password is set anew by a link that is good once.

-- The link that a doctor was given last. Only the hash is kept, of 32 random bytes. Real time.
create table password_resets (
    doctor_no integer primary key references doctors,
    link_hash bytea not null unique,
    ends_at timestamptz not null
);

-- Both run as their owner, who owns the tables: the console needs no right on links and passwords, and sets none without
-- a link. Whose password a link sets, and what a new one must not be made of; nothing where the link is not good.
create function password_reset_of(p_link_hash bytea, p_now timestamptz)
returns table (doctor_no integer, email text, display_name text)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    select doctors.doctor_no, doctors.email, doctors.display_name
    from password_resets join doctors on doctors.doctor_no = password_resets.doctor_no
    where password_resets.link_hash = p_link_hash and password_resets.ends_at > p_now and doctors.disabled_at is null;
end;

-- Sets the password, ends the link, and signs the doctor out everywhere; whose it was, or null where the link is not good.
create function use_password_reset(p_link_hash bytea, p_password_hash text, p_now timestamptz)
returns integer
language sql volatile security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    with used as (
        delete from password_resets where password_resets.link_hash = p_link_hash and password_resets.ends_at > p_now
        returning password_resets.doctor_no
    ), changed as (
        update doctors set password_hash = p_password_hash from used
        where doctors.doctor_no = used.doctor_no and doctors.disabled_at is null returning doctors.doctor_no
    ), signed_out as (
        delete from sessions using changed where sessions.doctor_no = changed.doctor_no
    ), waiting as (
        delete from pending_sign_ins using changed where pending_sign_ins.doctor_no = changed.doctor_no
    )
    select changed.doctor_no from changed;
end;

revoke all on function password_reset_of(bytea, timestamptz), use_password_reset(bytea, text, timestamptz) from public;
