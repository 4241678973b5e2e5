"""The plumbing, from settings to the bus and its consumers. Knows no health word."""
