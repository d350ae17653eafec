"""Deadlines: every call has one, and who is called keeps a margin in which to report.

The server takes the shorter of the caller's deadline and the RPC's own maximum (the maximum alone where the
caller names none). Calls that a handler makes get what remains, less a margin.
"""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
from collections.abc import Iterator

from garim.kit.clock import Clock
from garim.statements.refusal import Kind, RefusedError

REPORT_MARGIN_MS = 100
LEAST_USEFUL_MS = 50


@dataclasses.dataclass(frozen=True, slots=True)
class Deadline:
    """A point on the monotonic clock.

    Attributes:
        expires_ms: Monotonic time at which the call ends, in milliseconds.
        clock: The clock it is read on.
    """

    expires_ms: int
    clock: Clock

    def remaining_ms(self) -> int:
        """Return how long the call may still take; zero or less once it is over."""
        return self.expires_ms - self.clock.monotonic_ms()

    def check(self) -> None:
        """Refuse to go on once the time is over.

        Raises:
            RefusedError: `DEADLINE_EXCEEDED`.
        """
        if self.remaining_ms() <= 0:
            raise RefusedError("DEADLINE_EXCEEDED", "the call took longer than it may", kind=Kind.UNAVAILABLE)


_current: contextvars.ContextVar[Deadline | None] = contextvars.ContextVar("garim_deadline", default=None)


def current_deadline() -> Deadline | None:
    """Return the deadline of the call that this thread is serving, if it serves one."""
    return _current.get()


@contextlib.contextmanager
def within(deadline: Deadline | None) -> Iterator[None]:
    """Let `deadline` bound the calls made inside the block."""
    token = _current.set(deadline)
    try:
        yield
    finally:
        _current.reset(token)


def served_deadline(clock: Clock, maximum_s: int, caller_remaining_s: float | None) -> Deadline:
    """Return the deadline under which a server runs a call.

    Args:
        clock: Where the monotonic time comes from.
        maximum_s: The RPC's own maximum, in seconds.
        caller_remaining_s: What the caller still grants, in seconds; None if it named no deadline.

    Raises:
        RefusedError: `DEADLINE_TOO_SHORT`: the call could not end in time, so it is not begun.
    """
    allowed_ms = maximum_s * 1000
    if caller_remaining_s is not None:
        allowed_ms = min(allowed_ms, int(caller_remaining_s * 1000))
    if allowed_ms < LEAST_USEFUL_MS:
        raise RefusedError(
            "DEADLINE_TOO_SHORT",
            "too little time is left to begin; allow the call more",
            kind=Kind.UNAVAILABLE,
        )
    return Deadline(clock.monotonic_ms() + allowed_ms, clock)


def outgoing_timeout_s(maximum_s: float, wanted_s: float | None = None) -> float:
    """Return the timeout for a call to a peer, in seconds.

    Args:
        maximum_s: The RPC's own maximum, in seconds.
        wanted_s: What the calling code asks for, in seconds; it can only shorten.

    Raises:
        RefusedError: `DEADLINE_TOO_SHORT`: the call being served has no time left for another one.
    """
    timeout_s = maximum_s if wanted_s is None else min(maximum_s, wanted_s)
    deadline = current_deadline()
    if deadline is None:
        return timeout_s
    remaining_ms = deadline.remaining_ms() - REPORT_MARGIN_MS
    if remaining_ms < LEAST_USEFUL_MS:
        raise RefusedError(
            "DEADLINE_TOO_SHORT", "no time is left to ask a peer; allow the call more", kind=Kind.UNAVAILABLE
        )
    return min(timeout_s, remaining_ms / 1000)
