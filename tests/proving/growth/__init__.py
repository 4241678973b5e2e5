"""`make growth`: what inserts and panel queries cost as the readings grow to fifty million."""
