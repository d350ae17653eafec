"""Alembic's entry: the kit runs it."""

from garim.kit.migrations import run_env

run_env()
