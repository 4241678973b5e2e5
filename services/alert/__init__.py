"""Turns findings into alerts and tells the doctors, once, until somebody acts."""
