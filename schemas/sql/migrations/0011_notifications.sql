-- Notifications: what goes out to whom over which channel, and how that went.

-- Which channels alert has, written when it starts: an address on any other reaches nobody. Empty:
-- it never ran.
create table notification_channels (
    channel text primary key
);

-- Where doctors are notified: a row for each channel, so that a new channel needs no column. A
-- doctor without rows has no address.
create table contact_addresses (
    doctor_no integer not null references doctors on delete cascade,
    channel text not null check (channel ~ '^[a-z][a-z0-9_]{0,31}$'),
    address text not null check (address <> ''),
    primary key (doctor_no, channel)
);

-- One notification of one doctor over one channel; the primary key is the idempotency key.
-- retry_at and leased_until are real time, created_at and sent_at platform time.
create table notifications (
    alert_id uuid not null,
    step integer not null,
    doctor_no integer not null references doctors,
    channel text not null,
    state text not null default 'pending' check (state in ('pending', 'sending', 'sent', 'failed')),
    attempts integer not null default 0,
    created_at timestamptz not null,
    retry_at timestamptz not null,
    leased_until timestamptz,
    sent_at timestamptz,
    possible_duplicate boolean not null default false,
    primary key (alert_id, step, doctor_no, channel),
    foreign key (alert_id, step) references escalation_steps
);
create index notifications_waiting on notifications (retry_at)
where state in ('pending', 'sending');
create index notifications_failed on notifications (created_at) where state = 'failed';

-- The delivery log. started_at and ended_at are real time.
create table notification_attempts (
    alert_id uuid not null,
    step integer not null,
    doctor_no integer not null,
    channel text not null,
    attempt integer not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    outcome text not null check (outcome in ('sending', 'sent', 'retry', 'failed', 'unknown')),
    reason text,
    possible_duplicate boolean not null default false,
    primary key (alert_id, step, doctor_no, channel, attempt),
    foreign key (alert_id, step, doctor_no, channel) references notifications
);
