"""The plumbing: lifecycle, clock, settings, logs, metrics, MQTT, bus, consumer, retry, database. No health word."""
