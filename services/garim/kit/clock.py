"""Time as an argument: wall time for what is written down, monotonic time for what must not jump."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where a service reads the time."""

    def now_ms(self) -> int:
        """Return the wall time in milliseconds since 1970-01-01 UTC."""
        ...

    def monotonic_ms(self) -> int:
        """Return milliseconds on a clock that never goes back; only differences mean anything."""
        ...


class SystemClock:
    """The clocks of the operating system."""

    def now_ms(self) -> int:
        """Return the wall time in milliseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """Return milliseconds on a clock that never goes back."""
        return time.monotonic_ns() // 1_000_000
