-- name: stored
-- What was stored of a device's uplinks since a moment.
select epoch, seq, (extract(epoch from max(received_at)) * 1000)::bigint as received_at, count(*) as stored
from (
    select epoch, seq, received_at from readings where device_no = $1 and received_at >= $2
    union all
    select epoch, seq, received_at from device_events where device_no = $1 and received_at >= $2
) items
group by epoch, seq;

-- name: rejected
-- What was rejected.
select epoch, seq, item, reason, (extract(epoch from received_at) * 1000)::bigint as received_at
from rejected where device_no = $1 and received_at >= $2;

-- name: findings
-- Which uplinks findings rest on.
select f.rule, f.level, (e ->> 'epoch')::bigint as epoch, (e ->> 'seq')::bigint as seq
from findings f cross join jsonb_array_elements(f.evidence) e
where (e ->> 'device_no')::integer = $1 and f.level > 0 and f.raised_at >= $2;

-- name: newest
-- When anything was received last, in platform time.
select max(last_received_at) from device_cursor;
