-- What a notification needs to be worded, and when the morning lists of doctors are due.

-- With which severity it was queued; null: before 2026-11-29, that of its alert.
alter table notifications add column severity smallint;

-- Of what is sent there. ISO 639-1.
alter table contact_addresses add column language text not null default 'en' check (language ~ '^[a-z]{2}$');

-- When the next list of a doctor is due, and up to when the last one looked; platform time. A morning on which there
-- was nothing to list has no list, but it is over all the same.
create table morning_looks (
    doctor_no integer primary key references doctors on delete cascade,
    next_at timestamptz not null,
    looked_at timestamptz not null
);
create index morning_looks_due on morning_looks (next_at);

-- Real times, as in notifications.
alter table morning_list_sendings
    add column possible_duplicate boolean not null default false,
    add column reason text;

-- What lists name without an alert: LOW findings, and those that became known too late.
create index findings_for_lists on findings (person_no, raised_at) where level > 0 and (severity = 1 or retrospective);

-- Of one alert, what a doctor hears when quiet hours end is the newest.
create unique index one_held_notification on notifications (alert_id, doctor_no, channel) where state = 'held';
