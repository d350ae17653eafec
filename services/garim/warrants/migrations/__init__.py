"""Warrants' own line of migrations."""
