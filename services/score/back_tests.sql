-- name: claim_back_test
-- The oldest that nobody works on, with the home of its person and who else lives there.
select b.*, p.home_no, array(select person_no from people where people.home_no = p.home_no) as people
from back_tests b join people p using (person_no)
where b.done_at is null order by b.asked_at limit 1
for no key update of b skip locked;

-- name: say_progress
-- So much of it is done.
insert into back_test_progress (back_test_id, share) values ($1, $2)
on conflict (back_test_id) do update set share = excluded.share;

-- name: end_back_test
-- What came of it: a result, or why there is none.
update back_tests set done_at = $2, result = $3, failed = $4 where back_test_id = $1;

-- name: readings_in_columns
-- What devices (of no kind of $6) have measured of people, of vitals $5, observed from $2 up to before $3 and received by
-- $4: a row a device and epoch, whose columns have it all, the readings of an uplink beside each other. Of people who
-- are not in $7 only what devices of the kinds $8 have measured. All vitals are named: so the rows are found by their key.
select device_no, epoch, array_agg(seq) as seq, array_agg((date_part('epoch', received_at) * 1000)::bigint) as received_ms,
       array_agg(item) as item, array_agg(person_no) as person_no, array_agg(vital) as vital, array_agg(value) as value,
       array_agg((date_part('epoch', observed_at) * 1000)::bigint) as observed_ms, array_agg(flags) as flags
from (select * from readings
      where person_no = any ($1::integer[]) and vital = any ($5::smallint[]) and observed_at >= $2 and observed_at < $3
        and received_at <= $4
        and device_no <> all (array(select device_no from devices where device_type = any ($6::text[])))
        and (person_no = any ($7::integer[])
             or device_no = any (array(select device_no from devices where device_type = any ($8::text[]))))
      order by device_no, epoch, received_at, seq, item) found
group by device_no, epoch;

-- name: devices_of_records
-- What a record says of its device.
select device_no, device, device_type, home_no, shard from devices where device_no = any ($1::integer[]);
