-- What becomes known too late to alert anybody is kept with its age, on the person's page and in the day's list.
alter table findings add column retrospective boolean not null default false;
alter table shadow_findings add column retrospective boolean not null default false;
