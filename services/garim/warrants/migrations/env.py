"""Runs warrants' migrations."""

from garim.kit.migrations import run_env

run_env()
