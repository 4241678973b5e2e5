"""The hazard log: what could harm somebody, what is done against it, and the tests that show it."""
