"""Garim (가림): disclosure on a warrant with bystanders masked, and unmasking by quorum."""
