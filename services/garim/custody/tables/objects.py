"""Provider objects that are to be destroyed, and how far their destruction has come.

States: `alive`; `intended` (the intent is logged); `destroyed` (and its certificate durable, to be logged).
"""

from __future__ import annotations

import dataclasses
from typing import cast

from sqlalchemy import Connection, Row, insert, select, update

from garim.custody.kinds import Mortal
from garim.custody.tables.schema import key_objects as t


@dataclasses.dataclass(frozen=True, slots=True)
class KeyObject:
    """A provider object.

    Attributes:
        kind: What it is for.
        id: Id of the epoch, dossier, request or order, in hexadecimal.
        state: See the module.
        due_ms: From when on it is destroyed; None while nothing ends it.
        cause: Why it ends.
        silent_ms: For how long, on the monotonic clock, the log has been silent since it was due.
        certificate: The signed destruction certificate, JSON, once the object is gone.
    """

    kind: Mortal
    id: str
    state: str
    due_ms: int | None
    cause: str
    silent_ms: int
    certificate: bytes | None


def _of(row: Row[tuple[str, str, str, int | None, str, int, bytes | None]]) -> KeyObject:
    return KeyObject(
        cast("Mortal", row.kind),
        row.object,
        row.state,
        row.due_ms,
        row.cause,
        row.silent_ms,
        row.certificate,
    )


def add(connection: Connection, kind: Mortal, object_id: str, due_ms: int | None, cause: str) -> None:
    """Take note of an object before it is made."""
    connection.execute(
        insert(t).values(kind=kind, object=object_id, state="alive", due_ms=due_ms, cause=cause, silent_ms=0)
    )


def find(connection: Connection, kind: Mortal, object_id: str) -> KeyObject | None:
    """Return an object, if it was ever taken note of."""
    row = connection.execute(select(t).where(t.c.kind == kind, t.c.object == object_id)).first()
    return None if row is None else _of(row)


def due(connection: Connection, now_ms: int) -> list[KeyObject]:
    """Return the objects whose destruction is due and not yet complete, oldest first."""
    query = select(t).where(t.c.state != "destroyed", t.c.due_ms <= now_ms).order_by(t.c.due_ms)
    return [_of(row) for row in connection.execute(query)]


def end(connection: Connection, kind: Mortal, object_id: str, due_ms: int, cause: str) -> None:
    """Let an object end at a time, unless it ends sooner already."""
    row = find(connection, kind, object_id)
    if row is not None and row.state == "alive" and (row.due_ms is None or row.due_ms > due_ms):
        connection.execute(
            update(t).where(t.c.kind == kind, t.c.object == object_id).values(due_ms=due_ms, cause=cause)
        )


def set_state(
    connection: Connection, kind: Mortal, object_id: str, state: str, certificate: bytes | None = None
) -> None:
    """Record how far a destruction has come."""
    values: dict[str, object] = {"state": state}
    if certificate is not None:
        values["certificate"] = certificate
    connection.execute(update(t).where(t.c.kind == kind, t.c.object == object_id).values(**values))


def add_silence(connection: Connection, kind: Mortal, object_id: str, ms: int) -> None:
    """Add to the time for which the log has been silent about an object."""
    connection.execute(
        update(t).where(t.c.kind == kind, t.c.object == object_id).values(silent_ms=t.c.silent_ms + ms)
    )
