"""Scenario files: what happens in a home and what the platform must say about it (docs/scenarios.md)."""
