-- requires: timescaledb
-- A query over a year plans and opens every chunk: of a week each, 53 instead of 366. No query asks
-- for a time of all people, so the extension makes no index for that: the planner took it to count
-- an hour's receptions.
select create_hypertable(
    'readings', by_range('observed_at', interval '7 days'), create_default_indexes => false
);
