"""Proves at length that findings can be computed again from what is stored, whatever score has been through."""
