"""What stops custody: freezes, and documents that were revoked or cancelled."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from sqlalchemy import Connection, insert, select, update

from garim.custody.tables.schema import freezes, stopped_documents

Stop = Literal["revoked", "cancelled"]


@dataclasses.dataclass(frozen=True, slots=True)
class Freeze:
    """A freeze.

    Attributes:
        id: Random id, 32 hexadecimal digits.
        since_ms: When it began.
        cause: `custodian`, `recovery` or `succession`.
    """

    id: str
    since_ms: int
    cause: str


def freeze_in_force(connection: Connection) -> Freeze | None:
    """Return the freeze that has not ended, if there is one."""
    row: Any = connection.execute(select(freezes).where(freezes.c.ended_ms.is_(None))).first()
    return None if row is None else Freeze(row.freeze_id, row.since_ms, row.cause)


def begin_freeze(connection: Connection, freeze: Freeze) -> None:
    """Record a freeze; the caller has seen that none is in force."""
    connection.execute(
        insert(freezes).values(freeze_id=freeze.id, since_ms=freeze.since_ms, cause=freeze.cause)
    )


def stopped(connection: Connection, digest: str) -> str | None:
    """Return why a document counts no more, or None.

    Args:
        connection: An open transaction.
        digest: SHA-256 of its payload, hexadecimal.
    """
    query = select(stopped_documents.c.cause).where(stopped_documents.c.digest == digest)
    return connection.execute(query).scalar_one_or_none()


def stop(connection: Connection, digest: str, cause: Stop, at_ms: int) -> None:
    """Record for good that a document counts no more; the first cause stays."""
    if stopped(connection, digest) is None:
        connection.execute(insert(stopped_documents).values(digest=digest, cause=cause, at_ms=at_ms))


def end_freeze(connection: Connection, freeze_id: str, at_ms: int) -> None:
    """Record that a freeze has ended; another one in force stays."""
    connection.execute(update(freezes).where(freezes.c.freeze_id == freeze_id).values(ended_ms=at_ms))
