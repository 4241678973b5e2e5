"""The plumbing: lifecycle, clock, settings, logs, metrics, MQTT, bus, consumer, retry, database. Knows no health word."""
