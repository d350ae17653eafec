"""A message store with a custody and a log that the test plays itself, and people who do not exist."""
