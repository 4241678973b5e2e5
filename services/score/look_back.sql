-- name: ask_look_backs
-- Readings came later than the window of a rule. Until they are looked at, what comes of the same person and rule is
-- added to them; $7: how long the first of them waits at most.
insert into look_backs as l (person_no, home_no, rule, first_at, last_at, received_at, asked_at, due_at, worn_since)
select person_no, home_no, rule, first_at, last_at, received_at, received_at, received_at, worn_since
from unnest($1::integer[], $2::integer[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
            $8::jsonb[])
    as late (person_no, home_no, rule, first_at, last_at, received_at, worn_since)
order by person_no, rule
on conflict (person_no, rule) do update set
    first_at = least(l.first_at, excluded.first_at), last_at = greatest(l.last_at, excluded.last_at),
    received_at = greatest(l.received_at, excluded.received_at), asked_at = least(l.asked_at, excluded.asked_at),
    worn_since = l.worn_since || excluded.worn_since,
    due_at = least(greatest(l.received_at, excluded.received_at),
                   least(l.asked_at, excluded.asked_at) + $7::interval);

-- name: claim_look_back
-- Late readings of one person and rule that are to be looked at now: the watermark $1 has passed them.
select * from look_backs where due_at < $1 order by due_at limit 1 for update skip locked;

-- name: end_look_back
-- They have been looked at.
delete from look_backs where person_no = $1 and rule = $2;

-- name: look_is_done
-- What was asked, and by when what was seen had been received.
insert into looks_done (person_no, home_no, rule, first_at, last_at, received_at, worn_since, received_by, done_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: findings_of_rule
-- What was said of a rule about a person since $3, in the order in which it was.
select home_no, rule_version, episode, level, severity, observed_at, evidence, end_reason, retrospective,
       coalesce(concern, '') as concern
from findings where person_no = $1 and rule = $2 and observed_at >= $3
order by raised_at, episode, level = 0, level, observed_at;

-- name: seen_episodes
-- What looks back have seen of the episodes of a rule about a person.
select concern, episode, round(extract(epoch from onset) * 1000)::bigint as since, level, heard
from seen_episodes where person_no = $1 and rule = $2;

-- name: save_seen
-- What a look back has seen of them.
insert into seen_episodes (person_no, rule, concern, episode, onset, level, heard)
select $1, $2, concern, episode, onset, level, heard
from unnest($3::text[], $4::integer[], $5::timestamptz[], $6::smallint[], $7::integer[])
    as seen (concern, episode, onset, level, heard)
on conflict (person_no, rule, concern, episode)
do update set onset = excluded.onset, level = excluded.level, heard = excluded.heard;

-- name: devices_off
-- What each device of person $1 said last, from $2 up to before $3, of being worn (kinds $5; what has a flag of $6 does
-- not count), and whether a reading of it (of vitals $7) has shown since that it is: by a flag of $8, or steps (vital $9).
select device_no, kind, round(extract(epoch from observed_at) * 1000)::bigint as at,
       exists (select from readings r
               where r.person_no = $1 and r.vital = any ($7::smallint[]) and r.device_no = said.device_no
                 and r.observed_at > said.observed_at and r.observed_at < $3 and r.received_at <= $4
                 and r.flags & $6 = 0 and (r.flags & $8 <> 0 or (r.vital = $9 and r.value > 0))) as is_worn
from (select distinct on (device_no) device_no, kind, observed_at
      from device_events
      where person_no = $1 and kind = any ($5::smallint[]) and observed_at >= $2 and observed_at < $3
        and received_at <= $4 and flags & $6 = 0
      order by device_no, observed_at desc) said;

-- name: moved_away
-- Readings that a device took for this person's, and that a doctor has given to somebody else.
select device_no, epoch, seq, item from held_readings where person_no = $1 and state = 'moved';

-- name: not_theirs
-- Readings that rules saw as this person's, and that are somebody else's, or nobody's, as somebody has decided since.
select h.person_no, h.home_no, h.device_no, d.device, d.device_type, d.shard, h.epoch, h.seq, h.item, h.vital, h.value,
       h.observed_at, h.received_at
from held_readings h join devices d using (device_no)
where h.person_no = $1 and h.observed_at >= $2 and h.observed_at <= $3 and h.state in ('moved', 'dismissed')
  and not h.is_held
order by h.received_at, h.device_no, h.epoch, h.seq, h.item;
