"""The services of HearthBeat and the plumbing they share."""
