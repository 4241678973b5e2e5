"""The restore drill and the timers' drill: what happens on the worst day, and the proof that nothing was lost."""
