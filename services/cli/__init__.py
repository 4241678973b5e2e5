"""The command `hearthbeat`: what an operator does by hand, on the platform that the environment names."""
