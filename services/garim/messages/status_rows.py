"""What an operator may know of a store: its epochs, how much lies in each, what is preserved until when."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from garim.messages.tables import BATCHES, EPOCHS, PARTS, PRESERVED


class EpochStatus(NamedTuple):
    """One epoch.

    Attributes:
        epoch: Its random id.
        not_before: Its first millisecond.
        not_after: The first millisecond behind it.
        state: `open`, `ended`, `closed` (its account is logged), `preserved` (past its retention, kept for
            orders) or `dropped`.
        drop_from: When its rows may be dropped at the earliest; None once they are, or where nobody said.
        batches: How many batches lie in it.
        messages: How many messages; None where some are of a version that did not count them.
        stored_bytes: Bytes of ciphertext.
        orders: How many preservation orders keep something of it.
        preserved_until: When the last of them ends; None where there is none.
    """

    epoch: bytes
    not_before: int
    not_after: int
    state: str
    drop_from: int | None
    batches: int
    messages: int | None
    stored_bytes: int
    orders: int
    preserved_until: int | None


def epochs(connection: sa.Connection) -> list[EpochStatus]:
    """Return the state of every epoch there ever was, the oldest first.

    Args:
        connection: An open transaction.
    """
    rows = connection.execute(sa.select(EPOCHS).order_by(EPOCHS.c.number)).all()
    return [_status(connection, row) for row in rows]


def _status(connection: sa.Connection, row: sa.Row[tuple[object, ...]]) -> EpochStatus:
    batches, counted, messages = connection.execute(
        sa.select(
            sa.func.count(),
            sa.func.count(BATCHES.c.messages),
            sa.func.coalesce(sa.func.sum(BATCHES.c.messages), 0),
        ).where(BATCHES.c.partition == row.partition)
    ).one()
    size = connection.execute(
        sa.select(sa.func.coalesce(sa.func.sum(sa.func.length(PARTS.c.data)), 0)).where(
            PARTS.c.partition == row.partition
        )
    ).scalar_one()
    orders, until = connection.execute(
        sa.select(sa.func.count(sa.distinct(PRESERVED.c.document)), sa.func.max(PRESERVED.c.until)).where(
            PRESERVED.c.epoch == row.number
        )
    ).one()
    return EpochStatus(
        row.epoch,
        row.not_before,
        row.not_after,
        _state(row),
        None if row.dropped or not row.retention else row.not_after + row.retention,
        batches,
        # Of a batch that holds only what is preserved, nobody counts the messages.
        None if row.dropped or counted < batches else int(messages),
        int(size),
        orders,
        until,
    )


def _state(row: sa.Row[tuple[object, ...]]) -> str:
    if row.dropped:
        return "dropped" if row.partition is None else "preserved"
    if row.envelope is not None:
        return "closed"
    return "ended" if row.ended else "open"
