"""HearthBeat's own services as processes: started, watched, started again, killed by tests."""
