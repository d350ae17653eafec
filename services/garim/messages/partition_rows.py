"""Partitions of the tables: opened for an epoch, numbered within, dropped whole.

On PostgreSQL the runtime role can do none of it by itself: functions of the owner do, which open a partition
that nobody uses yet and drop none that an epoch's rows lie in.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from garim.kit.db import insert_or_ignore
from garim.messages.tables import EPOCHS, METADATA

PARTITIONED = tuple(one for one in METADATA.sorted_tables if "partition" in one.c and one is not EPOCHS)
_OPEN = sa.text("SELECT open_partition()")
_DROP = sa.text("SELECT drop_partition(:partition)")
_NEXT = sa.text("SELECT next_number(:partition) FROM generate_series(1, :count)")


def _is_server(connection: sa.Connection) -> bool:
    return connection.dialect.name == "postgresql"


def open_one(connection: sa.Connection) -> int:
    """Open a partition that no rows lie in and return its number.

    Args:
        connection: An open writing transaction that is alone.
    """
    if _is_server(connection):
        return int(connection.execute(_OPEN).scalar_one())
    highest = sa.func.max(sa.func.coalesce(EPOCHS.c.partition, 0), sa.func.coalesce(EPOCHS.c.leaving, 0))
    known = connection.execute(sa.select(sa.func.max(highest))).scalar_one()
    return (known or 0) + 1


def drop(connection: sa.Connection, partition: int) -> None:
    """Drop a partition with all its rows.

    Args:
        connection: An open writing transaction that is alone.
        partition: Its number; no epoch's rows may lie in it.
    """
    if _is_server(connection):
        connection.execute(_DROP, {"partition": partition})
        return
    for table in PARTITIONED:
        connection.execute(sa.delete(table).where(table.c.partition == partition))


def next_number(connection: sa.Connection, table: sa.Table, partition: int) -> int:
    """Return the next number of a batch; see `next_numbers`."""
    return next_numbers(connection, table, partition, 1)[0]


def next_numbers(
    connection: sa.Connection, table: sa.Table, partition: int, count: int, buckets: Collection[int] = ()
) -> list[int]:
    """Return the next numbers of batches, or of rosters in some buckets.

    On PostgreSQL a partition's batches and rosters draw from one sequence, some numbers stay unused.

    Args:
        connection: An open writing transaction.
        table: Of what.
        partition: Where.
        count: How many.
        buckets: In which buckets, where the table has them.
    """
    if _is_server(connection):
        return list(connection.execute(_NEXT, {"partition": partition, "count": count}).scalars())
    highest = sa.select(sa.func.max(table.c.number)).where(table.c.partition == partition)
    looked_up = [highest.where(table.c.bucket == one) for one in buckets] or [highest]
    first = 1 + max(connection.execute(one).scalar_one() or 0 for one in looked_up)
    return list(range(first, first + count))


def insert_missing(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, leaving out those whose key is there."""
    if rows:
        insert_or_ignore(connection, table, rows)
