"""Takes what devices say, judges it, passes it on to the bus, and tells devices what is settled."""
