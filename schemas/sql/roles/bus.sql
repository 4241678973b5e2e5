-- The bus of tables, where there is no Kafka: for the four services that open it.
grant select (appended_at, log_offset, topic, value), insert (appended_at, key, log_offset, topic, value), delete on
    bus_log to hearthbeat_ingest, hearthbeat_store, hearthbeat_score, hearthbeat_watch;
grant select (consumer_group, next_offset, topic), update (next_offset) on bus_offsets to hearthbeat_ingest,
    hearthbeat_store, hearthbeat_score, hearthbeat_watch;
grant select (next_offset, retention_h, topic), update (next_offset) on bus_topics to hearthbeat_ingest,
    hearthbeat_store, hearthbeat_score, hearthbeat_watch;
