-- How often alerts began to wait for a doctor, and what came of it: for the console's page and for operators.

create index alert_audit_openings on alert_audit (at) where what in ('opened', 'reopened');

-- Each time that an alert began to wait, from since on and before until: when somebody first took it on and who, and the
-- verdict that was said last. What was said of an alert belongs to the time that the speaker had seen; an
-- acknowledgement answers the time in which it came.
create function alert_openings(since timestamptz, until timestamptz)
returns table (
    alert_id uuid, home_no integer, person_no integer, rule text, technical boolean,
    opened_at timestamptz, acknowledged_at timestamptz, acknowledged_by integer, verdict text
)
language sql stable
begin atomic
    select opening.alert_id, alert.home_no, alert.person_no, alert.rule, alert.severity = 0,
           opening.at, taken.at, taken.doctor_no, last.verdict
    from alert_audit opening
    join alerts alert on alert.alert_id = opening.alert_id
    cross join lateral (
        select coalesce(min(later.at), 'infinity'::timestamptz) as at from alert_audit later
        where later.alert_id = opening.alert_id and later.audit_no > opening.audit_no and later.what = 'reopened'
    ) next
    left join lateral (
        select said.at, said.doctor_no from alert_outcomes said
        where said.alert_id = opening.alert_id and said.what = 'acknowledged'
          and said.at >= opening.at and said.at < next.at
        order by said.outcome_no limit 1
    ) taken on true
    left join lateral (
        select said.verdict from alert_outcomes said
        where said.alert_id = opening.alert_id and said.verdict is not null
          and case when said.what = 'acknowledged' then said.at else said.opened_at end >= opening.at
          and case when said.what = 'acknowledged' then said.at else said.opened_at end < next.at
        order by said.outcome_no desc limit 1
    ) last on true
    where opening.what in ('opened', 'reopened') and opening.at >= since and opening.at < until;
end;

-- Counts and a median by rule, nothing of a person.
create function operator_outcomes(since timestamptz, until timestamptz)
returns table (
    rule text, openings bigint, acknowledged bigint, median_s double precision,
    said_real bigint, said_false bigint, said_unclear bigint
)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
    select opening.rule, count(*), count(opening.acknowledged_at),
           percentile_cont(0.5) within group (
               order by extract(epoch from opening.acknowledged_at - opening.opened_at)::double precision
           ),
           count(*) filter (where opening.verdict = 'real'),
           count(*) filter (where opening.verdict = 'false'),
           count(*) filter (where opening.verdict = 'unclear')
    from alert_openings(since, until) opening
    group by opening.rule
    order by opening.rule;
end;

-- Beside what the panels read already.
grant select on alert_audit, alert_outcomes to hearthbeat_panels;
revoke all on function alert_openings(timestamptz, timestamptz), operator_outcomes(timestamptz, timestamptz) from public;
grant execute on function alert_openings(timestamptz, timestamptz) to hearthbeat_panels;
grant execute on function operator_outcomes(timestamptz, timestamptz) to hearthbeat_operator;
alter function operator_outcomes(timestamptz, timestamptz) owner to hearthbeat_panels;
