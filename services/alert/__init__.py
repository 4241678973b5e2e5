"""Turns findings into alerts and notifies the doctors, once, until somebody acts."""
