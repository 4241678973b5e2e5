-- What rules and plans say about people.
create table findings (
    finding_id uuid primary key,
    person_no integer not null,
    home_no integer not null references homes,
    rule text not null,
    rule_version integer not null,
    episode integer not null,
    level smallint not null,
    severity smallint not null,
    observed_at timestamptz not null,
    raised_at timestamptz not null,
    evidence jsonb not null,
    doctor_text text not null,
    caregiver_text text not null,
    rationale text not null,
    unverified boolean not null default false,
    claimed_at timestamptz
);
create index findings_unclaimed on findings (raised_at) where claimed_at is null;
create index findings_by_person on findings (person_no, rule, episode);

-- Devices that report steps as a running total, as score has found: what they say must not be added
-- up. The finding of the firmware is about a home; its evidence names the device.
create view step_totals as
select (began.evidence -> 0 ->> 'device_no')::integer as device_no, began.home_no,
       began.observed_at as since
from findings began
where began.person_no = 0 and began.rule = 'firmware' and began.level = 1
  and began.evidence -> 0 ->> 'what' = 'steps'
  and not exists (
    select from findings over
    where over.person_no = 0 and over.rule = 'firmware' and over.home_no = began.home_no
      and over.episode = began.episode and over.level = 0
);
