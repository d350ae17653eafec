"""What outlives an epoch's retention: what preservation orders keep, moved to a partition of its own.

Every function takes an open transaction of `garim.kit.db.Database`. Nothing is deleted row by row: what is
kept is copied, the epoch's row is turned to the copy, and the partition it has left is dropped whole.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from garim.messages import epoch_rows, partition_rows
from garim.messages.copying import SegmentIndexRow, copy_segments
from garim.messages.epochs import Shelf
from garim.messages.index_rows import Roster
from garim.messages.tables import (
    ACCOUNT_NODES,
    BATCHES,
    CONVERSATIONS,
    EPOCHS,
    MEMBER_TAGS,
    PARTS,
    PRESERVED,
    ROSTERS,
    SEGMENTS,
    WRITE_SECRETS,
)
from garim.translog.tree import Node

_AT_ONCE = 1_000


class _Kept(NamedTuple):
    """A segment that stays, as the index has it."""

    bucket: int
    kind: int
    roster: int
    batch: int
    place: int
    size: int
    sent_first: int
    sent_span: int
    messages: int
    segment: bytes


def droppable(connection: sa.Connection, until_ms: int) -> list[int]:
    """Return the closed epochs that ended before a time and still have all their rows."""
    result = connection.execute(
        sa.select(EPOCHS.c.number)
        .where(EPOCHS.c.dropped == 0, EPOCHS.c.envelope.is_not(None), EPOCHS.c.not_after <= until_ms)
        .order_by(EPOCHS.c.number)
    )
    return list(result.scalars())


def lapsed(connection: sa.Connection, now_ms: int) -> list[tuple[int, int]]:
    """Return dropped epochs of which something is preserved under an order that has ended, and that end."""
    result = connection.execute(
        sa.select(PRESERVED.c.epoch, PRESERVED.c.until)
        .join(EPOCHS, EPOCHS.c.number == PRESERVED.c.epoch)
        .where(EPOCHS.c.dropped == 1, PRESERVED.c.until <= now_ms)
        .distinct()
        .order_by(PRESERVED.c.epoch, PRESERVED.c.until)
    )
    return [(row.epoch, row.until) for row in result]


def leave(connection: sa.Connection, epoch: int) -> bool:
    """Begin to move an epoch's rows: note the partition that they leave.

    Returns:
        Whether they are this transaction's to move; not where somebody else moves them or has.
    """
    changed = connection.execute(
        sa.update(EPOCHS)
        .where(EPOCHS.c.number == epoch, EPOCHS.c.leaving.is_(None), EPOCHS.c.partition.is_not(None))
        .values(leaving=EPOCHS.c.partition, dropped=1)
    )
    return changed.rowcount == 1


def arrive(connection: sa.Connection, epoch: int, partition: int | None) -> None:
    """Turn an epoch to where its rows lie now, None where none are left."""
    connection.execute(sa.update(EPOCHS).where(EPOCHS.c.number == epoch).values(partition=partition))


def left(connection: sa.Connection) -> list[tuple[int, int]]:
    """Return epochs that have moved, and the partitions that they have left and that are still there."""
    result = connection.execute(
        sa.select(EPOCHS.c.number, EPOCHS.c.leaving).where(
            EPOCHS.c.leaving.is_not(None), EPOCHS.c.leaving.is_distinct_from(EPOCHS.c.partition)
        )
    )
    return [(row.number, row.leaving) for row in result]


def drop_left(connection: sa.Connection, epoch: int, partition: int) -> None:
    """Drop a partition that an epoch has left; in a transaction that is alone."""
    partition_rows.drop(connection, partition)
    connection.execute(
        sa.update(EPOCHS).where(EPOCHS.c.number == epoch, EPOCHS.c.leaving == partition).values(leaving=None)
    )


def kept_rosters(connection: sa.Connection, shelf: Shelf, ended_ms: int) -> list[Roster]:
    """Return the rosters under which orders that end after a time keep something."""
    result = connection.execute(
        sa.select(ROSTERS.c.tag, ROSTERS.c.bucket, ROSTERS.c.number, ROSTERS.c.digest)
        .join(PRESERVED, (PRESERVED.c.bucket == ROSTERS.c.bucket) & (PRESERVED.c.roster == ROSTERS.c.number))
        .where(
            ROSTERS.c.partition == shelf.partition,
            PRESERVED.c.epoch == shelf.number,
            PRESERVED.c.until > ended_ms,
        )
        .distinct()
    )
    return sorted(Roster(*row) for row in result)


def copy_rosters(connection: sa.Connection, shelf: Shelf, to: int, rosters: Sequence[Roster]) -> None:
    """Copy rosters with their members' tags into another partition."""
    for roster in rosters:
        here = {"bucket": roster.bucket}
        _copy(connection, ROSTERS, shelf.partition, to, here | {"number": roster.number})
        _copy(connection, MEMBER_TAGS, shelf.partition, to, here | {"roster": roster.number})


def copy_write_secrets(connection: sa.Connection, shelf: Shelf, to: int) -> None:
    """Copy an epoch's whole chains of write secrets: its account covers them together."""
    _copy(connection, WRITE_SECRETS, shelf.partition, to, {})


def copy_conversation(connection: sa.Connection, shelf: Shelf, to: int, tag: bytes, headers: bytes) -> None:
    """Copy a conversation's account, with the headers of all its segments."""
    where = {"bucket": shelf.bucket(tag), "tag": tag}
    _copy(connection, CONVERSATIONS, shelf.partition, to, where, {"headers": sa.literal(headers)})


def copy_nodes(connection: sa.Connection, shelf: Shelf, to: int, nodes: Sequence[Node]) -> None:
    """Copy nodes of an epoch's tree; conversations share some."""
    hashes = epoch_rows.read_nodes(connection, shelf, nodes)
    partition_rows.insert_missing(
        connection,
        ACCOUNT_NODES,
        [
            {"partition": to, "level": node.level, "position": node.position, "hash": value}
            for node, value in zip(nodes, hashes, strict=True)
        ],
    )


def copy_segments_kept(connection: sa.Connection, shelf: Shelf, to: int, ended_ms: int) -> None:
    """Copy the segments in the windows of orders that end after a time, and the batches that hold them."""
    seen: set[int] = set()
    kept = _kept_segments(connection, shelf, ended_ms)
    for (bucket, batch), rows in itertools.groupby(kept, key=lambda one: (one.bucket, one.batch)):
        if batch not in seen:
            _copy(connection, BATCHES, shelf.partition, to, {"number": batch})
            seen.add(batch)
        _copy_part(connection, shelf, to, (bucket, batch), list(rows))


def forget_orders(connection: sa.Connection, epoch: int, ended_ms: int) -> None:
    """Forget what orders that end by a time keep of an epoch."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.forget_orders(epoch, ended_ms)))
        return
    connection.execute(sa.delete(PRESERVED).where(PRESERVED.c.epoch == epoch, PRESERVED.c.until <= ended_ms))


def _kept_segments(connection: sa.Connection, shelf: Shelf, ended_ms: int) -> Iterator[_Kept]:
    columns = SEGMENTS.c
    statement = (
        sa.select(*(columns[name] for name in _Kept._fields))
        .join(PRESERVED, (PRESERVED.c.bucket == columns.bucket) & (PRESERVED.c.roster == columns.roster))
        .join(BATCHES, (BATCHES.c.partition == columns.partition) & (BATCHES.c.number == columns.batch))
        .where(
            columns.partition == shelf.partition,
            PRESERVED.c.epoch == shelf.number,
            PRESERVED.c.until > ended_ms,
            columns.sent_first < PRESERVED.c.sent_end,
            columns.sent_first + columns.sent_span >= PRESERVED.c.sent_start,
            BATCHES.c.received <= PRESERVED.c.received_until,
        )
        .distinct()
        .order_by(columns.bucket, columns.batch, columns.place)
        .execution_options(yield_per=_AT_ONCE)
    )
    for row in connection.execute(statement):
        yield _Kept(*row)


def _copy_part(
    connection: sa.Connection, shelf: Shelf, to: int, key: tuple[int, int], rows: list[_Kept]
) -> None:
    bucket, batch = key
    data = connection.execute(
        sa.select(PARTS.c.data).where(
            PARTS.c.partition == shelf.partition, PARTS.c.bucket == bucket, PARTS.c.batch == batch
        )
    ).scalar_one()
    blocks = [data[one.place : one.place + one.size] for one in rows]
    connection.execute(
        sa.insert(PARTS).values(partition=to, bucket=bucket, batch=batch, data=b"".join(blocks))
    )
    place = 0
    index: list[SegmentIndexRow] = []
    for one in rows:
        index.append((to, *one._replace(place=place)))
        place += one.size
    copy_segments(connection, index)


def _copy(
    connection: sa.Connection,
    table: sa.Table,
    partition: int,
    to: int,
    where: Mapping[str, object],
    changed: Mapping[str, sa.ColumnElement[Any]] | None = None,
) -> None:
    """Copy rows of a partition into another one."""
    values: dict[str, sa.ColumnElement[Any]] = {one.name: one for one in table.columns}
    values |= {"partition": sa.literal(to)} | dict(changed or {})
    conditions = [table.c.partition == partition, *(table.c[name] == value for name, value in where.items())]
    connection.execute(
        sa.insert(table).from_select(list(values), sa.select(*values.values()).where(*conditions))
    )
