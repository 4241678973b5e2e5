-- name: write_change
-- Who changed what; where nobody is named, the login at the database.
insert into register_changes (changed_at, recorded_at, changed_by, command, subject, details)
values ($1, $2, coalesce(nullif($3::text, ''), session_user), $4, $5, $6);
