-- requires: timescaledb
select create_hypertable('readings', by_range('observed_at', interval '1 day'));
