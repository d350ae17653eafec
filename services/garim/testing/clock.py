"""A clock that stands still until a test moves it."""

from __future__ import annotations


class ManualClock:
    """A `garim.kit.clock.Clock` whose two times are moved by hand.

    Args:
        now_ms: Wall time at the start, in milliseconds since 1970-01-01 UTC.
        monotonic_ms: Monotonic time at the start, in milliseconds.
    """

    def __init__(self, now_ms: int = 1_700_000_000_000, monotonic_ms: int = 0) -> None:
        self._now_ms = now_ms
        self._monotonic_ms = monotonic_ms

    def now_ms(self) -> int:
        """Return the wall time in milliseconds since 1970-01-01 UTC."""
        return self._now_ms

    def monotonic_ms(self) -> int:
        """Return the monotonic time in milliseconds."""
        return self._monotonic_ms

    def advance(self, ms: int) -> None:
        """Let `ms` milliseconds pass on both clocks.

        Raises:
            ValueError: `ms` is negative; time passes forwards only (see `jump_wall`).
        """
        if ms < 0:
            raise ValueError("time passes forwards only")
        self._now_ms += ms
        self._monotonic_ms += ms

    def jump_wall(self, ms: int) -> None:
        """Move the wall clock alone, forwards or back, as a wrong time server would."""
        self._now_ms += ms
