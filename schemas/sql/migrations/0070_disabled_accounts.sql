-- Accounts of doctors that are disabled: nobody signs in with one.

-- Platform time. With the password goes whatever a session or an attempt under way could still rest on.
alter table doctors add column disabled_at timestamptz;
alter table doctors add constraint disabled_without_password check (disabled_at is null or password_hash is null);
