"""Fits what is learned, with scikit-learn, and writes it as plain arrays with a card: `make train`."""
