"""Fakes, simulators and throwaway keys for our tests and other teams'; never for production."""
