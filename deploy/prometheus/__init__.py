"""Prometheus beside the platform: rules, their cases, and where to find the metrics."""
