"""Finds the platform that runs on this machine, for the command `hearthbeat`."""
