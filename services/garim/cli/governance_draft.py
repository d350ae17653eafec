"""The next governance version as a draft: the one in force, numbered anew, or with another log."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from garim.kit.db import Database
from garim.kit.ledger import tables
from garim.statements import governance, strict_json
from garim.statements.governance import DocumentAnchor, Governance, LogIdentity
from garim.statements.model import CheckpointSeen
from garim.statements.refusal import Kind, RefusedError

_PIN = re.compile(r"([1-9][0-9]{0,18}):([0-9a-f]{64})")


def read_pin(text: str) -> CheckpointSeen:
    """Return a pin written as SIZE:ROOT.

    Raises:
        RefusedError: `PIN_FORM`.
    """
    matched = _PIN.fullmatch(text)
    if matched is None:
        raise RefusedError("PIN_FORM", "write a pin as SIZE:ROOT: see `garim audit pins`", field="pin")
    return CheckpointSeen(size=int(matched[1]), root=matched[2])


def pins_in(database: Path) -> dict[str, CheckpointSeen]:
    """Return what a service, or a person's client, has pinned of each log it has used.

    Args:
        database: Its database file.

    Raises:
        RefusedError: `FILE_MISSING`, `DATABASE_*`.
    """
    if not database.is_file():
        raise RefusedError("FILE_MISSING", f"there is no database {database}", kind=Kind.NOT_FOUND)
    opened = Database(database)
    try:
        with opened.reading() as connection:
            rows = connection.execute(
                sa.select(tables.pins.c.origin, tables.pins.c.size, tables.pins.c.root)
            ).all()
    finally:
        opened.close()
    return {row.origin: CheckpointSeen(size=row.size, root=row.root.hex()) for row in rows}


def highest(pins: Sequence[CheckpointSeen]) -> tuple[CheckpointSeen, ...]:
    """Return the pins of the largest size: two where the log has shown two histories."""
    largest = max((one.size for one in pins), default=0)
    return tuple({one.root: one for one in pins if one.size == largest}.values())


def drafted(
    current: Governance,
    current_bytes: bytes,
    now_ms: int,
    log: LogIdentity | None = None,
    anchors: tuple[DocumentAnchor, ...] | None = None,
) -> bytes:
    """Return the next version.

    Args:
        current: The version in force.
        current_bytes: Its exact bytes.
        now_ms: Milliseconds since 1970.
        log: The log that succeeds the one in force; None keeps that one.
        anchors: Whose certificates sign documents from then on; None keeps them.
    """
    changes = {
        "version": current.version + 1,
        "previous": governance.digest(current_bytes),
        "issued": now_ms,
        "log": log or current.log,
        "anchors": current.anchors if anchors is None else anchors,
    }
    return strict_json.dump(current.model_copy(update=changes).to_json())
