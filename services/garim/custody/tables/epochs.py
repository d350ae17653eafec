"""Queries about epochs."""

from __future__ import annotations

import dataclasses
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from garim.custody.tables.schema import epochs as t


@dataclasses.dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch; after its destruction without keys.

    Attributes:
        id: Random id, 32 hexadecimal digits.
        not_before_ms: First millisecond inside.
        not_after_ms: First millisecond behind.
        retention_ms: For how long after its end it lives, as governance said when it was made.
        public_key: HPKE public key.
        wrapped_private: The private key under the epoch's object; None once destroyed.
        wrapped_index: The index key under the same object; None once destroyed.
    """

    id: str
    not_before_ms: int
    not_after_ms: int
    retention_ms: int
    public_key: bytes
    wrapped_private: bytes | None
    wrapped_index: bytes | None

    def released_until(self, retention_ms: int) -> int:
        """Return from when on nothing of it is released.

        Args:
            retention_ms: Retention that governance says now; it may shorten, never lengthen, an epoch's life.
        """
        return self.not_after_ms + min(self.retention_ms, retention_ms)


def _of(row: Row[Any]) -> Epoch:
    return Epoch(
        row.epoch_id,
        row.not_before_ms,
        row.not_after_ms,
        row.retention_ms,
        row.public_key,
        row.wrapped_private,
        row.wrapped_index,
    )


def add(connection: Connection, epoch: Epoch) -> None:
    """Keep a new epoch."""
    connection.execute(
        insert(t).values(
            epoch_id=epoch.id,
            not_before_ms=epoch.not_before_ms,
            not_after_ms=epoch.not_after_ms,
            retention_ms=epoch.retention_ms,
            public_key=epoch.public_key,
            wrapped_private=epoch.wrapped_private,
            wrapped_index=epoch.wrapped_index,
        )
    )


def find(connection: Connection, epoch_id: str) -> Epoch | None:
    """Return an epoch, if there was one of that id."""
    row = connection.execute(select(t).where(t.c.epoch_id == epoch_id)).first()
    return None if row is None else _of(row)


def last(connection: Connection) -> Epoch | None:
    """Return the epoch that ends last, if there is any."""
    row = connection.execute(select(t).order_by(t.c.not_after_ms.desc()).limit(1)).first()
    return None if row is None else _of(row)


def ending_after(connection: Connection, ms: int) -> list[Epoch]:
    """Return the epochs that end after a time, in order."""
    rows = connection.execute(select(t).where(t.c.not_after_ms > ms).order_by(t.c.not_before_ms))
    return [_of(row) for row in rows]


def with_keys(connection: Connection) -> list[Epoch]:
    """Return the epochs whose keys are not destroyed, in order."""
    rows = connection.execute(select(t).where(t.c.wrapped_private.is_not(None)).order_by(t.c.not_before_ms))
    return [_of(row) for row in rows]


def drop_keys(connection: Connection, epoch_id: str) -> None:
    """Drop what the destroyed object had wrapped."""
    connection.execute(
        update(t).where(t.c.epoch_id == epoch_id).values(wrapped_private=None, wrapped_index=None)
    )
