"""Custody's own line of migrations."""
