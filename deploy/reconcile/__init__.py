"""Holds what the simulator wrote against what the database has. Imports nothing from services or device_sim."""
