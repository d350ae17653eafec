"""Redaction's own line of migrations."""
