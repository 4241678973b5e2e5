"""Simulated homes: a seeded fleet of devices that keep to docs/firmware.md. It must not import services."""
