"""Custody around fake peers, for unit tests and attacks."""
