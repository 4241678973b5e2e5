"""What proves HearthBeat at length, a folder a command: bench, chaos, faults, scale, drill, growth, fuzz."""
