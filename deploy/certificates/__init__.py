"""A private CA for one deployment: made, renewed and shown by `python -m deploy.certificates`."""
