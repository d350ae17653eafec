"""The refusals of a database, in one place for both engines."""

from __future__ import annotations

from garim.statements.refusal import Kind, RefusedError

Reason = tuple[str, str, Kind]

LOCKED: Reason = ("DATABASE_LOCKED", "another writer holds the database: try again", Kind.UNAVAILABLE)
READ_ONLY: Reason = (
    "DATABASE_READ_ONLY",
    "the database cannot be written: check its rights",
    Kind.UNAVAILABLE,
)
FULL: Reason = ("DATABASE_FULL", "the disk is full: free some space", Kind.EXHAUSTED)
IO: Reason = ("DATABASE_IO", "the disk fails to read or write", Kind.UNAVAILABLE)
CORRUPT: Reason = ("DATABASE_CORRUPT", "the file is damaged or no database: restore it", Kind.DATA_LOSS)
UNREACHABLE: Reason = ("DATABASE_UNREACHABLE", "the database cannot be reached", Kind.UNAVAILABLE)


def refusal(reason: Reason, message: str = "") -> RefusedError:
    """Return the refusal for a reason.

    Args:
        reason: Reason, message, kind.
        message: Says more than the reason's own.
    """
    return RefusedError(reason[0], message or reason[1], kind=reason[2])
