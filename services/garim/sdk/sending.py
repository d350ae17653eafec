"""Sending one batch until the store has answered for it: retries, delays, rosters that the store lacks."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Protocol

from garim.api.messages.v1 import messages_pb2 as pb
from garim.sdk.batches import Batch
from garim.sdk.errors import GarimError, StoreUnavailableError
from garim.sdk.model import Roster

FIRST_BACKOFF_S = 0.05
LARGEST_BACKOFF_S = 5.0


class Store(Protocol):
    """What a producer needs of a store; `GarimStore` is one."""

    def begin(
        self, request: pb.AppendMessagesRequest, answered: Callable[[], None]
    ) -> Callable[[], pb.AppendMessagesResponse]:
        """Begin to send one batch once; what is returned waits for the answer."""
        ...

    def put_rosters(self, rosters: tuple[Roster, ...]) -> None:
        """Let the store keep rosters."""
        ...


class Sender:
    """Sends batches, one at a time.

    Args:
        store: Where to.
        give_up_s: How long one batch is tried, in seconds; None tries for ever.
        stopping: Set when nothing more is to be tried.
        sleep: Waits so many seconds, or until it is stopping.
        clock: Monotonic seconds.
        answered: Called in some thread when a batch was answered.

    Attributes:
        under_way: Whether a batch has not been answered yet.
    """

    def __init__(
        self,
        store: Store,
        *,
        give_up_s: float | None,
        stopping: threading.Event,
        sleep: Callable[[float], object],
        clock: Callable[[], float],
        answered: Callable[[], None],
    ) -> None:
        self._store = store
        self._give_up_s = give_up_s
        self._stopping = stopping
        self._sleep = sleep
        self._clock = clock
        self._answered = answered
        self.under_way = False

    def send(self, batch: Batch, *, meanwhile: Callable[[], None]) -> int:
        """Send a batch, unchanged and under its id, until it is answered.

        Args:
            batch: The batch.
            meanwhile: What to do while the store works on it.

        Returns:
            0 once it is durable; where another number of messages was stored under its id, that number.

        Raises:
            StoreRefusedError: The store refuses it for good.
            StoreUnavailableError: It was tried for as long as the caller allows; the last reason.
        """
        began_s, attempt, asked = self._clock(), 0, 0
        while True:
            failure: GarimError
            try:
                self.under_way = True
                wait = self._store.begin(batch.request, self._land)
                meanwhile()
                answer = wait()
                result = answer.WhichOneof("result")
                if result == "accepted":
                    return 0
                if result == "stored_before":
                    return answer.stored_before.messages
                unknown = answer.rosters_unknown.positions
                self._store.put_rosters(tuple(batch.rosters[position] for position in unknown))
                failure = StoreUnavailableError("ROSTERS_UNKNOWN", "the store forgets rosters")
                # A roster is put once for each epoch: that it is unknown is no failure unless it stays so.
                asked += 1
                wait_s = 0.0 if asked == 1 else _wait_s(asked, None)
            except StoreUnavailableError as error:
                failure = error
                attempt += 1
                wait_s = _wait_s(attempt, error.retry_after_s)
            if self._stopping.is_set() or (
                self._give_up_s is not None and self._clock() - began_s + wait_s > self._give_up_s
            ):
                raise failure
            if wait_s:
                self._sleep(wait_s)

    def _land(self) -> None:
        self.under_way = False
        self._answered()


def _wait_s(attempt: int, asked_s: float | None) -> float:
    """Return how long to wait: what the store asks for, and drawn beyond it, so that not all come at once."""
    limit_s: float = min(LARGEST_BACKOFF_S, FIRST_BACKOFF_S * 2 ** min(attempt - 1, 10))
    drawn_s = limit_s * (0.5 + random.random() / 2)  # noqa: S311 - jitter, no secret
    return drawn_s + (asked_s or 0.0)
