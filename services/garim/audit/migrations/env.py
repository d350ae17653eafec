"""Alembic's entry: the kit runs the audit service's migrations."""

from garim.kit.migrations import run_env

run_env()
