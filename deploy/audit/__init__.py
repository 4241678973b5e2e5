"""What HearthBeat is made of: known faults, licences, hashes, and the bill of materials."""
