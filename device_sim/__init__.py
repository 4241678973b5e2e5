"""Simulated homes: a seeded fleet of devices with the device's side of design 2.1. It must not import services."""
