"""The next governance version as a draft: the one in force, numbered anew, or with another log."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from garim.cli.files import write_private
from garim.kit.db import Database
from garim.kit.ledger import tables
from garim.kit.policy_files import kept_beside
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


def keep_pinned_policy(policy_file: Path, pinned: str) -> Path | None:
    """Keep the policy file that governance pins under its digest, beside the present one.

    Cases that were received under it are judged by it to their end.

    Args:
        policy_file: Where the operator's policy file lies.
        pinned: SHA-256 that governance pins, hexadecimal.

    Returns:
        Where it is kept; None where no policy file is kept here.

    Raises:
        RefusedError: `POLICY_DIGEST`: the file is another one, and the pinned one was not kept before.
    """
    kept = kept_beside(policy_file, pinned)
    for path in (kept, policy_file):
        data = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(data).hexdigest() == pinned:
            write_private(kept, data, replace=True)
            return kept
    if not policy_file.exists():
        return None
    raise RefusedError(
        "POLICY_DIGEST",
        f"{policy_file} is not the policy that governance pins: put that one there first, so that it is kept",
        kind=Kind.PRECONDITION,
    )


def drafted(
    current: Governance,
    current_bytes: bytes,
    now_ms: int,
    log: LogIdentity | None = None,
    anchors: tuple[DocumentAnchor, ...] | None = None,
    policy: str = "",
) -> bytes:
    """Return the next version.

    Args:
        current: The version in force.
        current_bytes: Its exact bytes.
        now_ms: Milliseconds since 1970.
        log: The log that succeeds the one in force; None keeps that one.
        anchors: Whose certificates sign documents from then on; None keeps them.
        policy: SHA-256 of another policy file, hexadecimal; empty keeps the one that is pinned.
    """
    changes = {
        "version": current.version + 1,
        "previous": governance.digest(current_bytes),
        "issued": now_ms,
        "log": log or current.log,
        "anchors": current.anchors if anchors is None else anchors,
        "policy": policy or current.policy,
    }
    return strict_json.dump(current.model_copy(update=changes).to_json())
