-- name: wake
-- A transaction of its own, since a commit that notifies fails when the server's queue is full.
-- Such a commit also holds a lock of the whole server, so synchronous_commit is off: no disk is
-- waited for meanwhile.
select set_config('synchronous_commit', 'off', true), pg_notify($1, $2);
