"""Inserting where a row may already be, in the one form that both engines know: ON CONFLICT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

Values = Mapping[str, Any] | Sequence[Mapping[str, Any]]


def insert_or_ignore(connection: sa.Connection, table: sa.Table, values: Values) -> int:
    """Insert rows; one that meets a unique value of another is left out.

    Args:
        connection: An open writing transaction.
        table: The table.
        values: One row, or several with the same columns.

    Returns:
        How many were inserted, for one row.
    """
    statement = _insert(connection, table).on_conflict_do_nothing()
    return connection.execute(statement, _rows(values)).rowcount


def insert_or_ignore_returning(
    connection: sa.Connection, table: sa.Table, values: Values, column: sa.Column[Any]
) -> list[Any]:
    """Insert rows as `insert_or_ignore`; return a column of those that were inserted, in any order."""
    statement = _insert(connection, table).on_conflict_do_nothing().returning(column)
    return list(connection.execute(statement, _rows(values)).scalars())


def insert_or_replace(connection: sa.Connection, table: sa.Table, values: Values) -> None:
    """Insert rows; one with the primary key of another takes its place, also in columns that are not named.

    Args:
        connection: An open writing transaction.
        table: The table.
        values: One row, or several with the same columns.
    """
    rows = _rows(values)
    if not rows:
        return
    statement = _insert(connection, table)
    others = {one.name: statement.excluded[one.name] for one in table.columns if not one.primary_key}
    statement = statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=others)
    connection.execute(statement, rows)


def _rows(values: Values) -> list[Mapping[str, Any]]:
    return [values] if isinstance(values, Mapping) else list(values)


def _insert(connection: sa.Connection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
