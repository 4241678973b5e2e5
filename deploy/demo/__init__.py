"""`make demo`: homes, services and the doctor's page from Python wheels alone, and a summary that can fail."""
