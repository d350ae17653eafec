"""Which governance version was in force when, and which policies it pinned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from garim.statements.governance import Governance


class InForce(NamedTuple):
    """A version and the time from which it is in force.

    Attributes:
        from_ms: Time of its log entry, milliseconds since 1970; of version 1 that of its issue.
        document: What it says.
    """

    from_ms: int
    document: Governance


def in_force_at(history: Sequence[InForce], instant_ms: int) -> Governance:
    """Return the version in force at an instant; the first one for every instant before it.

    Args:
        history: The versions in order; one at least.
        instant_ms: Milliseconds since 1970.
    """
    reached = (one.document for one in reversed(history) if one.from_ms <= instant_ms)
    return next(reached, history[0].document)


def policies_between(history: Sequence[InForce], from_ms: int, to_ms: int) -> frozenset[str]:
    """Return the digests of the policies that governance pinned at some time of a span.

    Args:
        history: The versions in order; one at least.
        from_ms: First millisecond of the span, since 1970.
        to_ms: Its last millisecond.
    """
    ends = [*(later.from_ms for later in history[1:]), to_ms + 1]
    return frozenset(
        one.document.policy
        for one, end_ms in zip(history, ends, strict=True)
        if one.from_ms <= to_ms and end_ms > from_ms
    )
