"""How far the log has been compared with this database: nothing opens before a start's comparison is done."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import Column, Connection, LargeBinary, String, Table, select, update

from garim.custody.tables.schema import metadata
from garim.kit.db.columns import WIDE
from garim.statements.refusal import Kind, RefusedError
from garim.translog.encoding import HASH_BYTES
from garim.translog.tree import Frontier

State = Literal["unchecked", "checked"]

comparison = Table(
    "log_comparison",
    metadata,
    Column("state", String, nullable=False),
    Column("size", WIDE, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    # The log that size and frontier belong to; null before anything was compared.
    Column("origin", String),
)


def demand_checked(connection: Connection) -> None:
    """Refuse while this start has not compared the log with the database, or has not caught up with it.

    Raises:
        RefusedError: `RECOVERY_PENDING`.
    """
    if connection.execute(select(comparison.c.state)).scalar_one_or_none() != "checked":
        raise RefusedError(
            "RECOVERY_PENDING",
            "custody has not compared its database with the log yet: nothing opens before that",
            kind=Kind.UNAVAILABLE,
        )


def compared(connection: Connection, origin: str) -> Frontier:
    """Return the part of a log that was compared by an earlier start; nothing of a log that is new here."""
    row: Any = connection.execute(select(comparison.c.size, comparison.c.frontier, comparison.c.origin)).one()
    if row.origin != origin:
        return Frontier()
    hashes = tuple(row.frontier[at : at + HASH_BYTES] for at in range(0, len(row.frontier), HASH_BYTES))
    return Frontier(row.size, hashes)


def begin(connection: Connection) -> None:
    """Record that this start has to compare first."""
    connection.execute(update(comparison).values(state="unchecked"))


def complete(connection: Connection, frontier: Frontier, origin: str) -> None:
    """Record that everything up to a size of a log is in this database."""
    connection.execute(
        update(comparison).values(
            state="checked", size=frontier.size, frontier=b"".join(frontier.hashes), origin=origin
        )
    )
