"""The store's own line of Alembic migrations."""
