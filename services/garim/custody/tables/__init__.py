"""Custody's tables and queries: its only SQL, one module for each group of tables."""
