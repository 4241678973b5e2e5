-- name: people_of_past
-- Everybody, with their home.
select person_no, home_no from people order by person_no;

-- name: readings_of_past
-- Of somebody, under one epoch, received before a moment, in that order.
select vital, value, round(extract(epoch from observed_at) * 1000)::bigint as observed_ms,
       round(extract(epoch from received_at) * 1000)::bigint as received_ms, flags
from readings where person_no = $1 and epoch = $2 and received_at < $3
order by received_at, device_no, seq, item;
