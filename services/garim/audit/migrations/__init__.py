"""Alembic migrations of the audit service."""
