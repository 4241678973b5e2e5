"""Simulated homes: a seeded fleet of devices that keeps the device's side of design 2.1. It must not import services."""
