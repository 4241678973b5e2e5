"""How HearthBeat is run: embedded, on one machine, in a region."""
