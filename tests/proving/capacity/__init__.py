"""What a county, a city and a country need: costs that were measured, multiplied, and where that ends."""
