"""HearthBeat in containers: its images, one clinic by Docker Compose, and an engine where a machine has none."""
