"""Finds what nobody thought of: fuzzers over the decoder, the properties and the console."""
