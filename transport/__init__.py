"""How bytes move, for the platform and the simulated devices alike. Knows neither of them."""
