-- How long the embedded bus keeps a topic, so that every process that opens it knows.
alter table bus_topics add column retention_h integer not null default 72 check (retention_h > 0);
