"""Runs redaction's migrations."""

from garim.kit.migrations import run_env

run_env()
