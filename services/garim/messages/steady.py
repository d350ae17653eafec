"""Whether the wall clock can be believed: it moves with the monotonic clock, and has done so for a while.

What cannot be taken back (ending an epoch) is done under a settled clock only, so that a clock that jumps
ahead for a moment does not end the present epoch for the rest of its day.
"""

from __future__ import annotations

from garim.kit.clock import Clock

TOLERANCE_MS = 2_000


class SteadyClock:
    """Watches the two clocks against each other; to be asked every second or so.

    Args:
        clock: Both clocks.
        settle_ms: How long they must have moved together, in milliseconds.
    """

    def __init__(self, clock: Clock, settle_ms: int) -> None:
        self._clock = clock
        self._settle_ms = settle_ms
        self._offset_ms = clock.now_ms() - clock.monotonic_ms()
        self._since_ms = clock.monotonic_ms()

    def settled(self) -> bool:
        """Tell whether the clocks have moved together for long enough."""
        monotonic_ms = self._clock.monotonic_ms()
        offset_ms = self._clock.now_ms() - monotonic_ms
        if abs(offset_ms - self._offset_ms) > TOLERANCE_MS:
            self._since_ms = monotonic_ms
        self._offset_ms = offset_ms
        return monotonic_ms - self._since_ms >= self._settle_ms
