"""Security checks, each with what takes it out and the tests that must then turn red."""
