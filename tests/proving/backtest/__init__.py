"""Proves at length that a back-test of limits finds what a live run by them finds, and how long it takes."""
