"""A small world of signed things, for tests of what people's clients verify; no services, no sockets."""
