-- name: make_reset
-- A link for a doctor in the place of any before; nothing where there is no such account, or it is disabled.
insert into password_resets (doctor_no, link_hash, ends_at)
select doctor_no, $2, $3 from doctors where email = $1 and disabled_at is null
on conflict (doctor_no) do update set link_hash = excluded.link_hash, ends_at = excluded.ends_at
returning doctor_no;

-- name: reset_of
-- Whose password a link sets; nothing where it is not good.
select doctor_no, email, display_name from password_reset_of($1, $2);

-- name: use_reset
-- Sets a password and signs its doctor out everywhere; null where the link is not good.
select use_password_reset($1, $2, $3);
