"""`make scale`: two of every service under load, one leaving and joining every ten seconds, and the proof after it."""
