-- What becomes known too late to alert anybody is kept with its age, on the person's page and in the day's list.
alter table findings add column retrospective boolean not null default false;
alter table shadow_findings add column retrospective boolean not null default false;

-- An episode that turned, or was disproved, ends without the condition being over.
alter table alerts
    drop constraint alerts_check,
    add constraint alerts_over_without_episodes check (ended_at is null or cardinality(active_episodes) = 0);
