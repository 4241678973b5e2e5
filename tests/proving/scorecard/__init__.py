"""How good alerts are, in numbers: each detector beside what people would have otherwise, on recorded people."""
