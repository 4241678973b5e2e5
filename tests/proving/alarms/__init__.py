"""How often rules find something on recorded people."""
