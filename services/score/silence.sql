-- name: one_watcher
-- One score at a time looks for silence; the others pass.
select pg_try_advisory_xact_lock(7001064);

-- name: watch_silence
-- Notes how far the watermark has come. A jump of more than $2 is an outage of ours that has ended just now.
insert into silence_watch as w (watermark_at, resumed_at) values ($1, $1)
on conflict (only_row) do update set
    resumed_at = case when excluded.watermark_at - w.watermark_at > $2::interval then excluded.watermark_at
                      else w.resumed_at end,
    watermark_at = greatest(w.watermark_at, excluded.watermark_at)
returning resumed_at;

-- name: newly_silent
-- Devices that were last heard of longer ago than their kind may be, said nothing that explains it, and are not known
-- to be silent, by themselves or with their home; each with what is known of its home. $1: the watermark; $2, $3: kinds
-- of device, and how long each may be silent; $4: events that explain a silence, $5: for how long, $6: so close to the
-- last uplink; $7: so long after a home was heard again its devices have time. Of what ends an explanation, $8: the
-- event, $9: flags of readings taken on the body, $10: vital of steps, $11: so much later any reading does,
-- $12: all vitals, $13: flags of what is not scored, $14: flag of what is no news.
with watched as (
    select d.device_no, d.home_no, kind.silent_after, cursor.last_at,
           greatest(d.registered_at, cursor.last_at) as last_heard_at
    from devices d
    join unnest($2::text[], $3::interval[]) as kind (device_type, silent_after) using (device_type)
    cross join lateral (
        select max(c.last_received_at) as last_at from device_cursor c where c.device_no = d.device_no
    ) cursor
    where d.removed_at is null
), overdue as (
    select w.* from watched w
    where w.last_heard_at + w.silent_after < $1
      and not exists (select from silences s where s.device_no = w.device_no and s.ended_at is null)
      and not exists (
          select from silences s
          where s.home_no = w.home_no and s.device_no is null
            and (s.ended_at is null or s.ended_at > $1 - $7::interval)
      )
), explained as (
    -- Whose last words explain its silence, until when; of whole homes, which may be silent with one overdue device.
    select w.device_no, max(e.observed_at) + $5::interval as until
    from watched w join device_events e on e.device_no = w.device_no and e.kind = any ($4::smallint[])
    where w.home_no in (select home_no from overdue)
      and e.received_at >= w.last_heard_at - $6::interval and e.flags & $14 = 0
      and not exists (
          select from device_events o
          where o.device_no = e.device_no and o.kind = $8 and o.observed_at > e.observed_at and o.flags & $13 = 0
      )
      and not exists (
          select from bindings b join readings r on r.person_no = b.person_no
          where b.device_no = e.device_no and r.device_no = e.device_no and r.vital = any ($12::smallint[])
            and r.observed_at > e.observed_at and r.flags & $13 = 0
            and (r.flags & $9 <> 0 or (r.vital = $10 and r.value > 0) or r.observed_at > e.observed_at + $11::interval)
      )
    group by w.device_no
), home as (
    select o.home_no, expected.devices, expected.shortest, newest.device_no as heard_device_no,
           newest.last_at as home_heard_at, back.ended_at + $7::interval as back_for
    from (select distinct home_no from overdue) o
    cross join lateral (
        -- Those that are somebody's, were heard before, and should be heard now.
        select count(*) as devices, min(w.silent_after) as shortest from watched w
        where w.home_no = o.home_no and w.last_at is not null
          and exists (select from bindings b where b.device_no = w.device_no and b.valid @> $1::timestamptz)
          and not exists (select from explained e where e.device_no = w.device_no and e.until > $1)
    ) expected
    left join lateral (
        -- Of any kind: whatever was heard came through the home's gateway.
        select d.device_no, c.last_received_at as last_at from devices d join device_cursor c using (device_no)
        where d.home_no = o.home_no order by c.last_received_at desc, d.device_no limit 1
    ) newest on true
    left join lateral (
        select max(s.ended_at) as ended_at from silences s where s.home_no = o.home_no and s.device_no is null
    ) back on true
)
select o.device_no, o.home_no, o.last_heard_at, coalesce(bound.person_no, 0) as person_no,
       greatest(o.last_heard_at + o.silent_after, e.until, h.back_for) as silent_at,
       h.devices, h.shortest, h.home_heard_at, h.heard_device_no,
       -- As the clock at home showed it.
       to_char(said.since at time zone place.time_zone, 'HH24:MI') as offline_at, said.leaving
from overdue o join home h using (home_no) join homes place using (home_no)
left join explained e using (device_no)
left join device_status said on said.device_no = o.device_no and said.state = 'offline'
    and said.since >= o.last_heard_at
left join lateral (
    select min(b.person_no) as person_no from bindings b join people p using (person_no)
    where b.device_no = o.device_no and b.valid @> $1::timestamptz and p.home_no = o.home_no
    -- A device that several people share is the home's.
    having count(distinct b.person_no) = 1
) bound on true
where e.until is null or e.until <= $1
order by o.device_no;

-- name: next_silence
-- The number of a person's (or a home's) next silence.
select 1 + greatest(
    (select coalesce(max(episode), 0) from silences where home_no = $1 and person_no = $2),
    (select coalesce(max(episode), 0) from findings
     where rule = $3 and person_no = $2 and (person_no <> 0 or home_no = $1))
);

-- name: add_silence
-- A device is silent, or (null) a home; with what is said of it.
insert into silences (home_no, person_no, episode, device_no, last_heard_at, silent_at, devices, offline_at, leaving)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: heard_again
-- Silent devices that were heard since.
update silences s set ended_at = heard.last_at
from (
    select c.device_no, max(c.last_received_at) as last_at from device_cursor c
    where c.device_no in (select device_no from silences where ended_at is null) group by c.device_no
) heard
where heard.device_no = s.device_no and s.ended_at is null and heard.last_at > s.last_heard_at
returning s.*;

-- name: homes_heard_again
-- Silent homes of which any device was heard since; ``heard_device_no`` is the first of them.
update silences s set ended_at = heard.first_at
from (
    select silent.home_no, silent.episode, min(c.last_received_at) as first_at,
           (array_agg(c.device_no order by c.last_received_at, c.device_no))[1] as heard_device_no
    from silences silent join devices d using (home_no)
    join device_cursor c on c.device_no = d.device_no and c.last_received_at > silent.last_heard_at
    where silent.device_no is null and silent.ended_at is null
    group by silent.home_no, silent.episode
) heard
where s.device_no is null and s.home_no = heard.home_no and s.person_no = 0 and s.episode = heard.episode
returning s.home_no, s.person_no, s.episode, s.last_heard_at, s.ended_at, heard.heard_device_no;

-- name: taken_out_of_use
-- Silent devices that nobody expects to hear any more.
update silences s set ended_at = greatest(d.removed_at, s.silent_at)
from devices d
where d.device_no = s.device_no and s.ended_at is null and d.removed_at is not null
returning s.*;
