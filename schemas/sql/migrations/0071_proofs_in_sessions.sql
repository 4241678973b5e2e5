-- When whoever has a session last showed that it is theirs, by the password.

-- Real time; null: when the session was opened.
alter table sessions add column proved_at timestamptz;
