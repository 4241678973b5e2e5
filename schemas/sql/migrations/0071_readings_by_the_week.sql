-- requires: timescaledb
-- A query over a year plans and opens every chunk: 53 instead of 366. Chunks that are there stay as they are. No query
-- asks for a time of all people, so the index that the extension made for that goes.
select set_chunk_time_interval('readings', interval '7 days');
drop index if exists readings_observed_at_idx;
