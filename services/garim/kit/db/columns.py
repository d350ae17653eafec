"""Columns that need other words on each engine."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer

# 64 bits on both: SQLite's INTEGER has them, PostgreSQL's only 32.
WIDE = BigInteger().with_variant(Integer, "sqlite")
