"""The plumbing: lifecycle, clock, settings, logs, metrics, MQTT, bus, database. Knows no health word."""
