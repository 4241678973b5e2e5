-- name: watermark
-- How far store and score have come; null when that is not known.
select received_at from watermark;

-- name: add_position
-- A partition that was never scored begins at the start of its log; returns nothing where it is known.
insert into score_positions (partition_no, position) values ($1, 0) on conflict do nothing returning position;

-- name: position
-- Where the checkpoint of a partition stands.
select position from score_positions where partition_no = $1;

-- name: jump
-- Leaves out what no log holds any more.
update score_positions set position = $2 where partition_no = $1;

-- name: registered
-- Devices and homes that the register knows.
select asked.device_no, asked.home_no from unnest($1::integer[], $2::integer[]) as asked (device_no, home_no)
join devices d on d.device_no = asked.device_no join homes h on h.home_no = asked.home_no;

-- name: states
-- The homes of a partition's checkpoint.
select home_no, state from score_state where partition_no = $1;

-- name: log_time
-- What time it was by a partition's log, and its newest marker; null where it has none yet.
select log_time, passed_at from score_positions where partition_no = $1;

-- name: days_of_people
-- The days of people, from wherever they lived.
select person_no, revision, state from score_days where person_no = any ($1);

-- name: days_of_person
-- Somebody's days, to write them.
select revision, state from score_days where person_no = $1 for update;

-- name: save_days
-- Writes days where nobody has written them since they were read; returns whose.
insert into score_days as d (person_no, home_no, revision, state)
select row.person_no, row.home_no, row.revision + 1, row.state::json
from unnest($1::integer[], $2::integer[], $3::integer[], $4::text[]) as row (person_no, home_no, revision, state)
on conflict (person_no) do update
set home_no = excluded.home_no, revision = excluded.revision, state = excluded.state
where d.revision = excluded.revision - 1
returning person_no;

-- name: all_days
-- Everybody's days, for comparing.
select d.person_no, d.home_no, d.state from score_days d join score_state using (home_no) order by d.person_no;

-- name: save_coverage
-- Hours of coverage of people by the home that they live in; what their home before them wrote of it stays. A minute that is
-- written anew is so in all columns.
insert into coverage as c (person_no, vital, hour, watched, charging, not_worn, moving, poor, home_silent, device_silent)
select row.person_no, row.vital, row.hour, row.watched, row.charging, row.not_worn, row.moving, row.poor,
       row.home_silent, row.device_silent
from unnest($1::integer[], $2::integer[], $3::smallint[], $4::timestamptz[], $5::bigint[], $6::bigint[], $7::bigint[],
            $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[])
    as row (person_no, home_no, vital, hour, watched, charging, not_worn, moving, poor, home_silent, device_silent)
join people p on p.person_no = row.person_no and p.home_no = row.home_no
on conflict (person_no, vital, hour) do update set
    (watched, charging, not_worn, moving, poor, home_silent, device_silent) = (
        select c.watched & kept | excluded.watched, c.charging & kept | excluded.charging,
               c.not_worn & kept | excluded.not_worn, c.moving & kept | excluded.moving,
               c.poor & kept | excluded.poor, c.home_silent & kept | excluded.home_silent,
               c.device_silent & kept | excluded.device_silent
        from (values (~(excluded.watched | excluded.charging | excluded.not_worn | excluded.moving | excluded.poor
                        | excluded.home_silent | excluded.device_silent))) as other (kept)
    );

-- name: highest_episodes
-- The last episode number of each person (or home) and rule, wherever it was given out.
select home_no, person_no, rule, max(episode) as episode
from (
    -- Numbers below 0 are not given out one after the other: see look_back.py.
    select home_no, person_no, rule, episode from findings where rule = any ($1::text[]) and episode > 0
    union all
    select home_no, person_no, rule || '|shadow', episode from shadow_findings
    union all
    select home_no, person_no, $2::text, episode from fall_checks
    union all
    select home_no, person_no, $3::text, episode from sos_calls
) as given_out
group by home_no, person_no, rule;

-- name: episodes_elsewhere
-- The last episode number of people in the homes where they lived before.
select given_out.person_no, given_out.rule, max(given_out.episode) as episode
from unnest($1::integer[], $2::integer[]) as mover (person_no, home_no)
join (
    select home_no, person_no, rule, episode from findings
    where person_no = any ($1) and rule = any ($3::text[]) and episode > 0
    union all
    select home_no, person_no, rule || '|shadow', episode from shadow_findings where person_no = any ($1)
    union all
    select home_no, person_no, $4::text, episode from fall_checks where person_no = any ($1)
    union all
    select home_no, person_no, $5::text, episode from sos_calls where person_no = any ($1)
) as given_out on given_out.person_no = mover.person_no and given_out.home_no <> mover.home_no
group by given_out.person_no, given_out.rule;

-- name: save_position
-- Moves a checkpoint on from where it was loaded; returns nothing where somebody else has moved it.
update score_positions set position = $3, passed_at = coalesce($4, passed_at), log_time = $5::text::json
where partition_no = $1 and position = $2 returning position;

-- name: save_states
-- The homes that changed since the last checkpoint.
insert into score_state (home_no, partition_no, state)
select row.home_no, $2, row.state::json from unnest($1::integer[], $3::text[]) as row (home_no, state)
on conflict (home_no) do update set partition_no = excluded.partition_no, state = excluded.state;

-- name: pass_markers
-- Everything before these watermark markers has been scored, and what follows from it is committed.
insert into watermarks (consumer, instance, partition_no, received_at)
select 'score', row.instance, row.partition_no, row.received_at
from unnest($1::text[], $2::integer[], $3::timestamptz[]) as row (instance, partition_no, received_at)
on conflict (consumer, instance, partition_no)
do update set received_at = greatest(watermarks.received_at, excluded.received_at);

-- name: save_news2
-- What people's NEWS2 was at quarter hours, in the place of what was known of them.
insert into news2_evaluations as known (
    person_no, at, total, respiratory_rate, spo2, oxygen, systolic, pulse, consciousness, temperature, spo2_scale, inputs
)
select row.person_no, row.at, row.total, row.respiratory_rate, row.spo2, row.oxygen, row.systolic, row.pulse,
       row.consciousness, row.temperature, row.spo2_scale, row.inputs::jsonb
from unnest(
    $1::integer[], $2::timestamptz[], $3::smallint[], $4::smallint[], $5::smallint[], $6::smallint[], $7::smallint[],
    $8::smallint[], $9::smallint[], $10::smallint[], $11::smallint[], $12::text[]
) as row (person_no, at, total, respiratory_rate, spo2, oxygen, systolic, pulse, consciousness, temperature, spo2_scale,
          inputs)
order by row.person_no, row.at
on conflict (person_no, at) do update set
    total = excluded.total, respiratory_rate = excluded.respiratory_rate, spo2 = excluded.spo2,
    oxygen = excluded.oxygen, systolic = excluded.systolic, pulse = excluded.pulse,
    consciousness = excluded.consciousness, temperature = excluded.temperature, spo2_scale = excluded.spo2_scale,
    inputs = excluded.inputs
where (known.total, known.spo2_scale, known.inputs) is distinct from (excluded.total, excluded.spo2_scale, excluded.inputs);

-- name: drop_news2
-- A quarter hour of which nothing usable is known after all.
delete from news2_evaluations where person_no = $1 and at = $2;

-- name: add_findings
-- A finding is written once; returns the ids that were not known.
insert into findings (
    finding_id, person_no, home_no, rule, rule_version, episode, level, severity, observed_at, raised_at, evidence,
    doctor_text, caregiver_text, rationale, unverified, message, facts, end_reason, retrospective,
    concern, looked_back, artefact, known_by
)
select finding_id, person_no, home_no, rule, rule_version, episode, level, severity, observed_at, $1, evidence::jsonb,
       doctor_text, caregiver_text, rationale, unverified, message, facts::jsonb, end_reason,
       retrospective, concern, looked_back, artefact, known_by
from unnest(
    $2::uuid[], $3::integer[], $4::integer[], $5::text[], $6::integer[], $7::integer[], $8::smallint[], $9::smallint[],
    $10::timestamptz[], $11::text[], $12::text[], $13::text[], $14::text[], $15::boolean[], $16::text[], $17::text[],
    $18::text[], $19::boolean[], $20::text[], $21::boolean[], $22::text[], $23::timestamptz[]
) as found (finding_id, person_no, home_no, rule, rule_version, episode, level, severity, observed_at, evidence,
            doctor_text, caregiver_text, rationale, unverified, message, facts, end_reason, retrospective, concern,
            looked_back, artefact, known_by)
on conflict do nothing returning finding_id;

-- name: same_finding
-- Whether the finding that stands under an id says the same.
select (observed_at, severity, evidence) is not distinct from ($2::timestamptz, $3::smallint, $4::jsonb)
from findings where finding_id = $1;

-- name: add_shadow_findings
-- The same of variants that are only tried.
insert into shadow_findings (
    finding_id, person_no, home_no, rule, rule_version, episode, level, severity, observed_at, raised_at, evidence,
    doctor_text, caregiver_text, rationale, unverified, message, facts, end_reason, retrospective,
    concern, looked_back, artefact, known_by
)
select finding_id, person_no, home_no, rule, rule_version, episode, level, severity, observed_at, $1, evidence::jsonb,
       doctor_text, caregiver_text, rationale, unverified, message, facts::jsonb, end_reason,
       retrospective, concern, looked_back, artefact, known_by
from unnest(
    $2::uuid[], $3::integer[], $4::integer[], $5::text[], $6::integer[], $7::integer[], $8::smallint[], $9::smallint[],
    $10::timestamptz[], $11::text[], $12::text[], $13::text[], $14::text[], $15::boolean[], $16::text[], $17::text[],
    $18::text[], $19::boolean[], $20::text[], $21::boolean[], $22::text[], $23::timestamptz[]
) as found (finding_id, person_no, home_no, rule, rule_version, episode, level, severity, observed_at, evidence,
            doctor_text, caregiver_text, rationale, unverified, message, facts, end_reason, retrospective, concern,
            looked_back, artefact, known_by)
on conflict do nothing returning finding_id;

-- name: same_shadow_finding
-- Whether the shadow finding that stands under an id says the same.
select (observed_at, severity, evidence) is not distinct from ($2::timestamptz, $3::smallint, $4::jsonb)
from shadow_findings where finding_id = $1;

-- name: add_fall_check
-- A suspected fall that waits for an answer.
insert into fall_checks (home_no, person_no, episode, device_no, epoch, seq, item, observed_at, due_at, received_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing;

-- name: add_check_in
-- Asks the person through the device that suspects a fall.
insert into commands (command_id, device_no, kind, created_at, expires_at)
values ($1, $2, $3, $4, $5) on conflict do nothing;

-- name: add_sos_press
-- A press begins a call or makes it last longer. One that comes when the call has ended already goes on with it.
insert into sos_calls as c (home_no, person_no, episode, device_no, epoch, seq, item, observed_at, due_at, said)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (home_no, person_no, episode) do update set
    due_at = greatest(c.due_at, excluded.due_at), said = greatest(c.said, excluded.said),
    ended_at = case when excluded.said > c.said then null else c.ended_at end;

-- name: claim_falls
-- Falls of which there is something to say at $1, with what is known of them; null: the watermark is not known.
-- $2: also those that are confirmed and not over, else of them only those that lie on. $3: events that answer.
-- $4: vital of steps, $5: all vitals, $6 and $7: flags of lying and of upright, $8: flags of what is not scored,
-- $9: steps that are recovery. $10: time to answer, $11: how far a clock may lag behind.
-- $12: how long after its minute a near fall may be confirmed, $13: when a confirmed one is forgotten, $14: flag of an
-- uplink that is no news.
select f.*, said.ok_at, said.ok_in_time_at, said.help_at, signs.up_at, signs.recovered_at,
       known.received_at as known_by
from fall_checks f
cross join lateral (
    -- What is stamped by another clock counts from when the fall may really have been.
    select least(coalesce(f.received_at, f.observed_at), f.observed_at + $11::interval) as others_from
) other
cross join lateral (
    select max(e.observed_at) filter (where e.answer = 'ok') as ok_at,
           min(e.observed_at) filter (where e.answer = 'ok' and e.in_time) as ok_in_time_at,
           max(e.observed_at) filter (where e.answer = 'help') as help_at
    from (
        select e.observed_at, e.details ->> 'answer' as answer,
               case when e.device_no = f.device_no
                    then e.observed_at - f.observed_at <= $10::interval or e.received_at <= f.due_at
                    else e.observed_at <= f.due_at end as in_time
        from device_events e
        where e.home_no = f.home_no and e.kind = any ($3::smallint[]) and e.flags & $14 = 0
          and e.observed_at >= case when e.device_no = f.device_no then f.observed_at
                                    else least(f.observed_at, f.received_at) end
          and e.person_no = any (array(
              -- An answer of anybody's button at home counts where the fall is the home's (person 0);
              -- where it is a person's, only theirs, or one that nobody is bound to (person 0).
              select 0 union all select p.person_no from people p
              where p.home_no = f.home_no and (f.person_no = 0 or p.person_no = f.person_no)
          ))
    ) e
) said
cross join lateral (
    select max(r.observed_at) filter (where r.flags & $6 <> 0) as lay_at,
           max(r.observed_at) filter (where r.flags & $7 <> 0) as stood_at
    from readings r
    where r.person_no = f.person_no and r.vital = any ($5::smallint[]) and r.flags & ($6 | $7) <> 0 and r.flags & $8 = 0
      and r.observed_at > case when r.device_no = f.device_no then f.observed_at else other.others_from end
      and (f.level >= 2 or r.observed_at <= f.due_at)
) posture
cross join lateral (
    -- Steps since the person was seen lying; who is upright at last has got up.
    select sum(r.value) as steps, max(r.observed_at) as last_at
    from readings r
    where r.person_no = f.person_no and r.vital = $4 and r.value > 0 and r.flags & $8 = 0
      and r.observed_at > case when r.device_no = f.device_no then f.observed_at else other.others_from end
      and r.observed_at > coalesce(posture.lay_at, '-infinity')
      and (f.level >= 2 or r.observed_at <= f.due_at)
      and not exists (select from step_totals t where t.device_no = r.device_no)
) walk
cross join lateral (
    select case when walk.steps >= $9 and posture.stood_at > coalesce(posture.lay_at, '-infinity')
                then walk.last_at end as up_at
) got
cross join lateral (
    select got.up_at,
           coalesce(case when said.ok_at > coalesce(said.help_at, '-infinity') then said.ok_at end, got.up_at)
               as recovered_at
) signs
cross join lateral (
    -- What is stored of a home is the beginning of its log: the newest of it says up to where.
    select greatest(f.received_at, (
        select max(r.received_at) from readings r
        where r.person_no = f.person_no and r.vital = any ($5::smallint[]) and r.observed_at >= f.observed_at
    ), (
        select max(e.received_at) from device_events e
        where e.home_no = f.home_no and e.kind = any ($3::smallint[]) and e.observed_at >= f.observed_at
    )) as received_at
) known
where f.ended_at is null and (f.level is null or f.level = 1 or $2 or f.lying_at <= $1)
  and case
      when f.level is null
          then f.due_at <= $1 or coalesce(said.help_at, said.ok_in_time_at, signs.up_at) is not null
      when f.level = 1
          then said.help_at is not null or f.due_at + $12::interval <= $1
               or (f.due_at <= $1 and said.ok_in_time_at is null and signs.up_at is null)
      else signs.recovered_at is not null or f.lying_at <= $1 or f.due_at + $13::interval <= $1
      end
-- Several scores may look at once: each takes rows that no other holds.
order by f.due_at limit 250 for update of f skip locked;

-- name: save_fall
-- What a suspected fall came to, how much was said of it, when more is said, and when it was over.
update fall_checks set
    decided_at = coalesce(decided_at, $4), level = $5, said = $6, lying_at = $7, ended_at = $8
where home_no = $1 and person_no = $2 and episode = $3;

-- name: well_after
-- Whether person $1 is known to have been well after $2: up and walking, or by an answer. $3: vital of steps, $4 and $5:
-- flags of lying and of upright, $6: flags of what is not scored, $7: steps that are recovery, $8: events that answer,
-- $9: flag of an uplink that is no news, $10: all vitals.
select coalesce(walk.steps >= $7 and posture.stood_at > coalesce(posture.lay_at, '-infinity'), false)
    or coalesce(said.ok_at > coalesce(said.help_at, '-infinity'), false)
from (
    select max(observed_at) filter (where flags & $4 <> 0) as lay_at,
           max(observed_at) filter (where flags & $5 <> 0) as stood_at
    from readings
    where person_no = $1 and vital = any ($10::smallint[]) and observed_at > $2 and flags & ($4 | $5) <> 0
      and flags & $6 = 0
) posture
cross join lateral (
    select sum(r.value) as steps from readings r
    where r.person_no = $1 and r.vital = $3 and r.flags & $6 = 0
      and r.observed_at > greatest($2, posture.lay_at)
      and not exists (select from step_totals t where t.device_no = r.device_no)
) walk
cross join (
    select max(observed_at) filter (where details ->> 'answer' = 'ok') as ok_at,
           max(observed_at) filter (where details ->> 'answer' = 'help') as help_at
    from device_events
    where person_no = $1 and observed_at > $2 and kind = any ($8::smallint[]) and flags & $9 = 0
) said;

-- name: claim_over_calls
-- SOS calls without a further press.
select * from sos_calls where ended_at is null and due_at <= $1 order by due_at limit 250 for update skip locked;

-- name: end_call
-- An SOS call is over.
update sos_calls set ended_at = due_at where home_no = $1 and person_no = $2 and episode = $3;

-- name: all_states
-- Every home's state, for comparing.
select home_no, state from score_state order by home_no;

-- name: findings_of_readings
-- Every finding of some rules, for comparing.
select finding_id, person_no, home_no, rule, rule_version, episode, level, severity, observed_at, evidence, doctor_text,
       caregiver_text, rationale
from findings where rule = any ($1::text[]) and not looked_back;

-- name: all_positions
-- How far the checkpoint of each partition has come.
select partition_no, position from score_positions;

-- name: score_watermarks
-- The newest watermark marker that score has passed, by partition.
select partition_no, max(received_at) as received_at from watermarks where consumer = 'score' group by partition_no;

-- name: unsaved_partitions
-- How many partitions' checkpoints are older than the watermark markers that stood at some moment.
select count(*) from unnest($1::integer[], $2::timestamptz[]) as passed (partition_no, received_at)
left join score_positions p using (partition_no)
where p.passed_at is null or p.passed_at < passed.received_at;

-- name: stored_readings
-- Readings of people, observed in a time and received by a moment, with their devices. In no order.
select r.item, r.person_no, r.vital, r.value, r.flags, r.device_no, r.epoch, r.seq, d.device, d.device_type, d.home_no,
       d.shard, round(extract(epoch from r.observed_at) * 1000)::bigint as observed_ms,
       round(extract(epoch from r.received_at) * 1000)::bigint as received_ms
from readings r join devices d using (device_no)
where r.person_no = any ($1::integer[]) and r.observed_at >= $2 and r.observed_at < $3 and r.received_at <= $4;

-- name: stored_events
-- The same of events.
select e.item, e.person_no, e.kind, e.details, e.flags, e.device_no, e.epoch, e.seq, d.device, d.device_type, d.home_no,
       d.shard, round(extract(epoch from e.observed_at) * 1000)::bigint as observed_ms,
       round(extract(epoch from e.received_at) * 1000)::bigint as received_ms
from device_events e join devices d using (device_no)
where e.person_no = any ($1::integer[]) and e.observed_at >= $2 and e.observed_at < $3 and e.received_at <= $4;

-- name: limits_mark
-- A mark of what the three queries below read: another one where a row was added, changed or removed since.
select concat_ws(' ',
    (select sum(hashtextextended(ctid::text || ' ' || xmin::text, 0)) from limits),
    (select sum(hashtextextended(ctid::text || ' ' || xmin::text, 0)) from person_conditions),
    (select sum(hashtextextended(ctid::text || ' ' || xmin::text, 0)) from residences)) as mark;

-- name: limit_versions
-- Every version of all limits.
select limit_no, person_no, region, condition, concern, levels, off, clear_min, worse_by, withdrawn, source,
       signed_off_by, round(extract(epoch from valid_from) * 1000)::bigint as from_ms
from limits order by limit_no;

-- name: person_conditions
-- Every condition of all people; to_ms is null where it goes on.
select person_no, condition, round(extract(epoch from lower(valid)) * 1000)::bigint as from_ms,
       round(extract(epoch from upper(valid)) * 1000)::bigint as to_ms
from person_conditions order by person_no, lower(valid);

-- name: residences
-- Where people who have moved lived; from_ms is null of the first home, to_ms of the one where they live.
select person_no, home_no, round(extract(epoch from lower(valid)) * 1000)::bigint as from_ms,
       round(extract(epoch from upper(valid)) * 1000)::bigint as to_ms
from residences order by person_no, lower(valid) nulls first;
