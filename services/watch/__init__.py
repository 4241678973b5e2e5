"""Checks the whole platform from outside and notifies its operators, once, of what is wrong with it."""
