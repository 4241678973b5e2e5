"""`make bench`: how fast the full stack is on this machine, every guarantee on, as ratios of one run."""
