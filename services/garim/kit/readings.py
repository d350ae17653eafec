"""What gauges read from a service's tables: one number, or how many rows are in which state."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from garim.kit.db import Database


def number(database: Database, query: sa.Select[int]) -> int:
    """Return the only value of a query; 0 for null or no row.

    Args:
        database: The service's own.
        query: Selects one number.
    """
    with database.reading() as connection:
        found: int | None = connection.execute(query).scalar()
    return found or 0


def by_state(database: Database, column: sa.Column[str], states: Iterable[str]) -> dict[str, float]:
    """Return how many rows are in each of some states, those with none included.

    Args:
        database: The service's own.
        column: The column that holds the state.
        states: The states to count.
    """
    wanted = list(states)
    query = sa.select(column, sa.func.count()).where(column.in_(wanted)).group_by(column)
    with database.reading() as connection:
        found = {row[0]: row[1] for row in connection.execute(query)}
    return {state: found.get(state, 0) for state in wanted}
