"""A throw-away authority and a tiny service, for the tests of the kit."""
