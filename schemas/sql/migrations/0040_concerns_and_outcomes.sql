-- One live alert per person and concern, which is finer than the rule; what doctors say came of it; when they are
-- not to be disturbed; and the list of the next morning.

-- first_at is when the alert began, opened_at when it last became open. episodes_since_open counts from opened_at.
-- active_severity and active_level are the highest of what goes on, or went on last: severity and level are the highest
-- since it last opened.
-- ended_at is when the condition recovered: nothing else ends it.
alter table alerts
    add column concern text,
    add column first_at timestamptz,
    add column episodes_since_open integer not null default 1,
    add column active_severity smallint,
    add column active_level smallint;

-- An alert of several concerns keeps the name of its rule: whatever ends then finds it by its episode.
update alerts set
    concern = coalesce(
        (
            select case when count(distinct said.concern) = 1 then min(said.concern) end
            from alert_findings join findings using (finding_id)
            cross join lateral (
                select case
                    when findings.concern not in ('', findings.rule) then findings.concern
                    when findings.rule in ('silent_device', 'low_battery', 'firmware', 'clock', 'command_failed')
                        then findings.rule || '.' || (findings.evidence -> 0 ->> 'device_no')
                    else findings.rule
                end
            ) as said (concern)
            where alert_findings.alert_id = alerts.alert_id
        ),
        rule
    ),
    first_at = coalesce(
        (select min(a.at) from alert_audit a where a.alert_id = alerts.alert_id and a.what = 'opened'), opened_at
    ),
    episodes_since_open = episodes,
    active_severity = severity,
    active_level = level;

-- That nothing more was heard ends nothing any more: of a fall or a call, people are notified again until somebody acts.
update alerts set ended_at = null, active_episodes = array[episode]
where state <> 'closed' and ended_at is not null and (
    select f.end_reason = 'no_data' from alert_findings l join findings f using (finding_id)
    where l.alert_id = alerts.alert_id and f.level = 0
    order by f.raised_at desc, f.episode desc limit 1
);

alter table alerts
    alter column concern set not null,
    alter column first_at set not null,
    alter column active_severity set not null,
    alter column active_level set not null;

drop index one_live_alert;
create unique index one_live_alert on alerts (home_no, person_no, concern) where state <> 'closed';
create index alerts_by_concern on alerts (person_no, concern, first_at);

-- Append-only: what a doctor said when taking an alert on, later, or when finishing it. version: of the alert, as it
-- was seen. opened_at and severity are copied from it, since a later episode changes them.
create table alert_outcomes (
    outcome_no bigint primary key generated always as identity,
    alert_id uuid not null references alerts,
    at timestamptz not null,
    doctor_no integer not null references doctors,
    what text not null check (what in ('acknowledged', 'outcome', 'finished')),
    verdict text check (verdict in ('real', 'false', 'unclear')),
    action text check (action in ('called', 'visited', 'handled_already', 'nothing')),
    note text not null default '',
    version integer not null,
    opened_at timestamptz not null,
    severity smallint not null
);
create index alert_outcomes_by_alert on alert_outcomes (alert_id, outcome_no);
create index alert_outcomes_by_doctor on alert_outcomes (doctor_no, at);
create trigger alert_outcomes_is_append_only before update or delete or truncate on alert_outcomes
for each statement execute function refuse_alert_audit_change();

insert into alert_outcomes (alert_id, at, doctor_no, what, note, version, opened_at, severity)
select t.alert_id, t.at, t.doctor_no, 'acknowledged', coalesce(t.note, ''), a.version, a.opened_at, a.severity
from alert_audit t join alerts a using (alert_id)
where t.what = 'acknowledged' and t.doctor_no is not null
order by t.audit_no;

-- Why people were, or will be, notified. suppressed: another alert said as much when it was due.
alter table escalation_steps
    add column reason text not null default 'repeat'
        check (reason in ('first', 'worse', 'came_back', 'again', 'called', 'repeat')),
    add column suppressed boolean not null default false;
update escalation_steps set reason = 'first' where repeat = 0;
-- What has recovered is not repeated any more.
update escalation_steps s set state = 'cancelled' from alerts a
where a.alert_id = s.alert_id and s.state = 'pending' and a.ended_at is not null;

-- held: by the quiet hours of its recipient, until held_until, platform time. withdrawn: not needed any more.
alter table notifications
    drop constraint notifications_state_check,
    add constraint notifications_state_check
        check (state in ('pending', 'sending', 'sent', 'failed', 'held', 'withdrawn')),
    add column held_until timestamptz,
    add constraint held_until_some_time check (state <> 'held' or held_until is not null);
create index notifications_held on notifications (held_until) where state = 'held';

-- Append-only but for the end of valid. Wall-clock times of zone; from begins to ends, over midnight if ends is less.
create table quiet_hours (
    quiet_no integer primary key generated always as identity,
    doctor_no integer not null references doctors,
    begins time not null,
    ends time not null,
    zone text not null,
    valid tstzrange not null check (not isempty(valid)),
    check (begins <> ends),
    exclude using gist (doctor_no with =, valid with &&)
);

-- Null: that of the home of the first of their people.
alter table doctors add column time_zone text;

-- details: name and value may stand in what is sent there, since its owner wants it so.
alter table contact_addresses add column details boolean not null default false;

-- What a doctor finds in the morning; made once a day and doctor, and only where there is something to list. Sent over
-- the doctor's channels like a notification, but it is none. Times but made_at and day are real.
create table morning_lists (
    list_no bigint primary key generated always as identity,
    doctor_no integer not null references doctors,
    day date not null,
    zone text not null,
    since timestamptz not null,
    made_at timestamptz not null,
    unique (doctor_no, day)
);
create table morning_list_entries (
    list_no bigint not null references morning_lists,
    place integer not null,
    kind text not null check (kind in ('open', 'recovered', 'listed', 'retrospective')),
    person_no integer not null,
    home_no integer not null,
    rule text not null,
    severity smallint not null,
    alert_id uuid references alerts,
    finding_id uuid references findings,
    primary key (list_no, place)
);
create table morning_list_sendings (
    list_no bigint not null references morning_lists,
    channel text not null,
    state text not null default 'pending' check (state in ('pending', 'sending', 'sent', 'failed')),
    attempts integer not null default 0,
    retry_at timestamptz not null,
    leased_until timestamptz,
    sent_at timestamptz,
    primary key (list_no, channel)
);
create index morning_list_sendings_waiting on morning_list_sendings (retry_at) where state in ('pending', 'sending');
