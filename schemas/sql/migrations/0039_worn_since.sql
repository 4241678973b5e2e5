-- When devices first showed that they are worn, by their number, in ms: a look back can't see so far.
alter table look_backs add column worn_since jsonb not null default '{}';
