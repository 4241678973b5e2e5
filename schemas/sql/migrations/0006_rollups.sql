-- The rollups that readers use everywhere; plain views, since not every edition could keep them up.
create view readings_1m as
select person_no, vital, date_trunc('minute', observed_at) as bucket_at, avg(value) as mean_value,
       min(value) as lowest_value, max(value) as highest_value, count(*) as readings
from readings group by person_no, vital, date_trunc('minute', observed_at);

create view readings_1h as
select person_no, vital, date_trunc('hour', observed_at) as bucket_at, avg(value) as mean_value,
       min(value) as lowest_value, max(value) as highest_value, count(*) as readings
from readings group by person_no, vital, date_trunc('hour', observed_at);
