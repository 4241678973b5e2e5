"""Dose plans become doses, doses become reminders, and what was not taken becomes a finding."""
