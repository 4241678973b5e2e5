-- Devices that report steps as a running total, as score has found: what they say must not be added up. The finding of
-- the firmware is about a home; its evidence names the device.
create view step_totals as
select (began.evidence -> 0 ->> 'device_no')::integer as device_no, began.home_no, began.observed_at as since
from findings began
where began.person_no = 0 and began.rule = 'firmware' and began.level = 1 and began.evidence -> 0 ->> 'what' = 'steps'
  and not exists (
    select from findings over
    where over.person_no = 0 and over.rule = 'firmware' and over.home_no = began.home_no
      and over.episode = began.episode and over.level = 0
);
