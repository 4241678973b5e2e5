"""Writes what ingest judged: one transaction a batch, then the settled records, then the offset."""
