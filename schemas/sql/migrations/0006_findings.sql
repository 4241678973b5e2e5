-- What rules and plans say about people, and how far store and score have come.
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

create table watermarks (
    consumer text not null check (consumer in ('store', 'score')),
    instance text not null,
    partition_no integer not null,
    received_at timestamptz not null,
    primary key (consumer, instance, partition_no)
);

-- The lowest reception time that store and score have both committed; null until each has seen every partition.
create view watermark as
select case
    when count(*) >= 2 * (select bus_partitions from platform) * count(distinct instance) and count(*) > 0
    then min(received_at)
end as received_at
from watermarks;
