"""Score: a deterministic function of checkpoint and log that says what the readings mean."""
