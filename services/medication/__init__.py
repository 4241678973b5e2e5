"""Dose plans become slots, slots become reminders, and what was not taken becomes a finding."""
