-- A state is some kilobytes that are written again every few seconds and read once, at a start: squeezing it costs
-- more than the bytes.
alter table score_state alter column state set storage external;
