"""Tests by what they need: unit, contract, integration, e2e, repo; and proving, what proves the product at length."""
