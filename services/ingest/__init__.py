"""Takes what devices say, judges it, passes it on to the bus, and publishes to devices what is settled."""
