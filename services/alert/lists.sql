-- name: unlooked
-- Doctors who care for somebody at $1 and whose mornings nobody counts yet, each with their zone.
select d.doctor_no, coalesce(d.time_zone, first.time_zone) as zone
from doctors d
cross join lateral (
    select h.time_zone from care_relations c join people p using (person_no) join homes h using (home_no)
    where c.doctor_no = d.doctor_no and c.valid @> $1::timestamptz
    order by p.person_no limit 1
) first
where not exists (select from morning_looks l where l.doctor_no = d.doctor_no)
limit $2;

-- name: begin_looks
-- A doctor's first list is that of the next morning.
insert into morning_looks (doctor_no, next_at, looked_at) values ($1, $2, $3) on conflict do nothing;

-- name: claim_looks
-- Doctors whose list is due, each with their zone; null: they care for nobody.
select l.doctor_no, l.next_at, l.looked_at,
       coalesce(d.time_zone, (
           select h.time_zone from care_relations c join people p using (person_no) join homes h using (home_no)
           where c.doctor_no = d.doctor_no and c.valid @> $1::timestamptz
           order by p.person_no limit 1
       )) as zone
from morning_looks l join doctors d using (doctor_no)
where l.next_at <= $1
order by l.next_at
limit $2
for update of l skip locked;

-- name: entries
-- What the doctor $1 finds at $3, since $2; of the rules $4 nobody is notified. Technical alerts are the console's.
-- What is held stands there each morning, where the first of it was received by $5.
with theirs as (
    select p.person_no, p.home_no from care_relations c join people p using (person_no)
    where c.doctor_no = $1 and c.valid @> $3::timestamptz
)
select case when a.rule = any ($4::text[]) then 'listed' when a.ended_at is null then 'open' else 'recovered' end as kind,
       a.severity, a.person_no, a.home_no, a.rule, a.concern, a.opened_at as at, a.alert_id, null::uuid as finding_id,
       null::uuid as held_id, null::bigint as waiting
from alerts a
where a.state = 'open' and a.severity > 0 and a.opened_at <= $3
  and (a.person_no in (select person_no from theirs) or (a.person_no = 0 and a.home_no in (select home_no from theirs)))
  and (
      a.ended_at is null
      or exists (select from alert_audit t where t.alert_id = a.alert_id and t.what = 'ended' and t.at > $2)
  )
union all
select case when f.retrospective then 'retrospective' else 'listed' end, f.severity, f.person_no, f.home_no, f.rule,
       coalesce(nullif(f.concern, ''), f.rule), f.observed_at, null, f.finding_id, null, null
from theirs join findings f using (person_no)
where f.level > 0 and (f.severity = 1 or (f.retrospective and f.severity > 0))
  and f.raised_at > $2 and f.raised_at <= $3
  and not exists (select from alert_findings l where l.finding_id = f.finding_id)
union all
select 'held', 1, t.person_no, t.home_no, null, held.held_id::text, held.since, null, null, held.held_id, held.measurements
from theirs t cross join lateral held_since(t.person_no, $5) held;

-- name: make_list
-- A list; null where that day has one.
insert into morning_lists (doctor_no, day, zone, since, made_at) values ($1, $2, $3, $4, $5)
on conflict (doctor_no, day) do nothing
returning list_no;

-- name: add_entry
-- One line of a list.
insert into morning_list_entries (list_no, place, kind, person_no, home_no, rule, severity, alert_id, finding_id, held_id,
                                  waiting)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: queue_sendings
-- A list goes out over those channels of $3 over which its doctor $2 can be reached.
insert into morning_list_sendings (list_no, channel, retry_at)
select $1, channel, $4 from contact_addresses where doctor_no = $2 and channel = any ($3::text[]);

-- name: look_done
-- The next list is due at $2; up to $3 everything has been named.
update morning_looks set next_at = $2, looked_at = $3 where doctor_no = $1;

-- name: claim_sendings
-- What is due on a channel, under a lease; a lease that ran out means that nobody knows whether it was sent.
with due as (
    select list_no, channel, state from morning_list_sendings
    where channel = $1 and state in ('pending', 'sending')
      and (case state when 'pending' then retry_at else leased_until end) <= $2
    order by retry_at
    limit $4
    for update skip locked
), claimed as (
    update morning_list_sendings s
    set state = 'sending', attempts = s.attempts + 1, leased_until = $3,
        possible_duplicate = s.possible_duplicate or due.state = 'sending'
    from due where (s.list_no, s.channel) = (due.list_no, due.channel)
    returning s.list_no, s.attempts, s.possible_duplicate
)
select c.*, l.doctor_no, l.day, l.zone, held.address, held.details, coalesce(held.language, 'en') as language,
       array(
           select sealed from receiver_secrets s
           where (s.doctor_no, s.channel) = (l.doctor_no, $1) and (s.ends_at is null or s.ends_at > $2)
           order by s.secret_no desc
       ) as sealed_secrets,
       (
           select jsonb_agg(jsonb_build_object(
               'kind', e.kind, 'severity', e.severity, 'name', coalesce(p.display_name, homes.label),
               'text', coalesce(f.doctor_text, a.doctor_text, ''),
               'held', case when h.held_id is not null then jsonb_build_object(
                   'since', round(extract(epoch from h.observed_at) * 1000)::bigint, 'unit', h.unit, 'waiting', e.waiting,
                   'vitals', (select jsonb_agg(vital order by item) from held_readings r
                              where r.measurement_id = h.measurement_id)) end) order by e.place)
           from morning_list_entries e
           join homes on homes.home_no = e.home_no
           left join people p on p.person_no = e.person_no
           left join alerts a on a.alert_id = e.alert_id
           left join findings f on f.finding_id = e.finding_id
           left join held_readings h on h.held_id = e.held_id
           where e.list_no = c.list_no
       ) as entries
from claimed c
join morning_lists l using (list_no)
left join contact_addresses held on (held.doctor_no, held.channel) = (l.doctor_no, $1);

-- name: record_sending
-- How an attempt went; nothing where its lease was lost meanwhile.
update morning_list_sendings
set state = $4, retry_at = coalesce($5, retry_at), leased_until = null, sent_at = $6, reason = $7
where (list_no, channel, attempts) = ($1, $2, $3) and state = 'sending'
returning list_no;
