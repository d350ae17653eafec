"""How often calls may be repeated, so that repeats never multiply an overload (gRFC A6)."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

FIRST_BACKOFF_S = 0.1
LARGEST_BACKOFF_S = 2.0


class Retries:
    """A budget of repeated calls: each failure costs one token, each success gives a tenth back.

    Repeats are allowed while more than half of the tokens are there.

    Args:
        tokens: Size of the budget.
        sleep: Waits so many seconds.
        jitter: Returns a number from 0 up to 1.
    """

    def __init__(
        self,
        tokens: int = 20,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._largest = float(tokens)
        self._tokens = float(tokens)
        self._sleep = sleep
        self._jitter = jitter
        self._lock = threading.Lock()

    def succeeded(self) -> None:
        """Give a tenth of a token back."""
        with self._lock:
            self._tokens = min(self._largest, self._tokens + 0.1)

    def failed(self) -> bool:
        """Take a token, and tell whether a repeat is still within the budget."""
        with self._lock:
            self._tokens = max(0.0, self._tokens - 1)
            return self._tokens > self._largest / 2

    def wait(self, attempt: int, longest_s: float) -> None:
        """Wait before repeat number `attempt` (from 1): at random up to a limit that doubles each time.

        Args:
            attempt: Which repeat it is.
            longest_s: The most that may be waited, in seconds.
        """
        limit_s = min(LARGEST_BACKOFF_S, FIRST_BACKOFF_S * 2 ** (attempt - 1))
        self._sleep(min(longest_s, limit_s * self._jitter()))
