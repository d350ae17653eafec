"""The time at which `garim policy` looks at a policy or a document."""

from __future__ import annotations

from typing import Annotated

import typer

from garim.documents.fields import parse_instant
from garim.kit.clock import SystemClock
from garim.statements.refusal import RefusedError

AtOption = Annotated[
    str, typer.Option("--at", metavar="TIME", help="RFC 3339 time or a date (its first second, +09:00).")
]


def instant_of(text: str) -> int:
    """Return an instant given on the command line; now where none is given.

    Raises:
        RefusedError: `TIME_INVALID`.
    """
    if not text:
        return SystemClock().now_ms()
    try:
        return parse_instant(text)
    except (ValueError, OverflowError):
        raise RefusedError(
            "TIME_INVALID", "write RFC 3339 with an offset, or a date: 2026-11-02", field="at"
        ) from None
