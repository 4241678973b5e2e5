"""Plays scenario files on a platform of their own and judges what it said (docs/scenarios.md)."""
