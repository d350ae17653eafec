"""How much the store takes at once: batches and bytes. What goes beyond is told to come back, never dropped.

A few callers more than there are places wait a moment in line; bytes are refused at once, since whoever
waits holds them. So the memory that callers can fill is bounded, however many they are and however slow the
disk is.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from garim.statements.refusal import Kind, RefusedError

WAIT_S = 0.05
RETRY_AFTER_S = 1


class Capacity:
    """Counts what is being worked on.

    Args:
        batches: Batches worked on at once.
        waiting: Batches that may wait for a place.
        max_bytes: Bytes of all requests that are worked on or wait, as they were sent.
    """

    def __init__(self, *, batches: int, waiting: int, max_bytes: int) -> None:
        self._places = threading.BoundedSemaphore(batches)
        self._lock = threading.Lock()
        self._most = batches + waiting
        self._max_bytes = max_bytes
        self._held = 0
        self._bytes = 0

    @contextlib.contextmanager
    def hold(self, size: int) -> Iterator[None]:
        """Hold a place while a request is worked on.

        Args:
            size: Bytes of the request; one alone is taken whatever its size.

        Raises:
            RefusedError: `STORE_BUSY`.
        """
        with self._lock:
            if self._held >= self._most or (self._held and self._bytes + size > self._max_bytes):
                raise busy()
            self._held += 1
            self._bytes += size
        try:
            if not self._places.acquire(timeout=WAIT_S):
                raise busy()
            try:
                yield
            finally:
                self._places.release()
        finally:
            with self._lock:
                self._held -= 1
                self._bytes -= size


def busy() -> RefusedError:
    """Return the refusal of a store at its capacity."""
    return RefusedError(
        "STORE_BUSY",
        "the store takes no more at the moment: send the same batch again a little later",
        kind=Kind.EXHAUSTED,
        retry_after_s=RETRY_AFTER_S,
    )
