-- name: wake
-- A transaction of its own: a commit that notifies fails when the server's queue is full, and holds a lock of the whole
-- server that no disk should lengthen.
select set_config('synchronous_commit', 'off', true), pg_notify($1, $2);
