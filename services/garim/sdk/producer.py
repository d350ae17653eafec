"""The producer: a bounded queue, one thread that sends batch after batch, retries, acknowledged positions."""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Literal, Protocol, Self

from garim.api.messages.v1 import messages_pb2 as pb
from garim.sdk.batches import Batch, Pending, make_batch
from garim.sdk.errors import GarimError, QueueFullError, StoreRefusedError, StoreUnavailableError
from garim.sdk.model import Message, Roster
from garim.statements.refusal import RefusedError

FIRST_BACKOFF_S = 0.05
LARGEST_BACKOFF_S = 5.0
MAX_BATCH = 5_000


class Store(Protocol):
    """What a producer needs of a store; `GarimStore` is one."""

    def append(self, request: pb.AppendMessagesRequest) -> pb.AppendMessagesResponse:
        """Send one batch once."""
        ...

    def put_rosters(self, rosters: tuple[Roster, ...]) -> None:
        """Let the store keep rosters."""
        ...


class Producer:
    """Hands messages to a store in order, batch after batch; safe to use from several threads.

    After the store has refused a batch for good nothing more is sent: every further call raises that refusal,
    and `acknowledged` still tells how far it went.

    Args:
        store: Where to.
        batch_size: Messages in one batch, at most 5,000; 256 to 1,000 work best.
        batch_ms: Longest time a message waits for others, in milliseconds.
        queue_size: Messages held until they are acknowledged.
        when_full: `block` until there is room, or `raise` `QueueFullError`.
        give_up_s: How long one batch is tried, in seconds; None tries for ever.
        random_bytes: Draws batch ids.
        sleep: Waits so many seconds or until the producer closes.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        store: Store,
        *,
        batch_size: int = 500,
        batch_ms: int = 100,
        queue_size: int = 10_000,
        when_full: Literal["block", "raise"] = "block",
        give_up_s: float | None = 300.0,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
        sleep: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 < batch_size <= MAX_BATCH or queue_size < batch_size:
            raise ValueError(f"batch_size must be 1 to {MAX_BATCH} and fit into queue_size")
        self._store = store
        self._batch_size = batch_size
        self._batch_s = batch_ms / 1000
        self._queue_size = queue_size
        self._when_full = when_full
        self._give_up_s = give_up_s
        self._random_bytes = random_bytes
        self._stopping = threading.Event()
        self._sleep: Callable[[float], object] = sleep or self._stopping.wait
        self._clock = clock
        self._changed = threading.Condition()
        self._queue: deque[tuple[Pending, float]] = deque()
        self._in_flight = 0
        self._flushing = 0
        self._closed = False
        self._acknowledged: object = None
        self._failure: GarimError | None = None
        self._thread = threading.Thread(target=self._run, name="garim-producer", daemon=True)
        self._thread.start()

    def put(self, roster: Roster, message: Message, position: object = None) -> None:
        """Take a message to be sent.

        Args:
            roster: Who is in its conversation; the same object until that changes.
            message: The message.
            position: The caller's own mark (an offset, a cursor); see `acknowledged`.

        Raises:
            QueueFullError: There is no room and the producer was told not to wait.
            StoreRefusedError: The roster cannot be, or the store has refused an earlier batch for good.
            StoreUnavailableError: An earlier batch was given up.
            ValueError: The producer is closed.
        """
        try:
            _ = roster.digest
        except RefusedError as refusal:
            raise StoreRefusedError(refusal.reason, refusal.message, field=refusal.field) from None
        with self._changed:
            while self._held() >= self._queue_size and self._failure is None and not self._closed:
                if self._when_full == "raise":
                    raise QueueFullError
                self._changed.wait()
            self._demand_running()
            self._queue.append((Pending(roster, message, position), self._clock()))
            self._changed.notify_all()

    def acknowledged(self) -> object:
        """Return the last position up to which everything that was put is durable; None before the first.

        After a restart a back end goes on behind it, and nothing is lost. What was under way when it died
        may then be stored twice, since a new process cannot repeat the old one's batch ids.
        """
        with self._changed:
            return self._acknowledged

    def flush(self, timeout_s: float | None = None) -> None:
        """Send what is held and wait until it is durable.

        Args:
            timeout_s: Longest time to wait, in seconds; None waits as long as it takes.

        Raises:
            StoreRefusedError: The store has refused a batch for good.
            StoreUnavailableError: A batch was given up, or the time is over.
        """
        with self._changed:
            self._flushing += 1
            self._changed.notify_all()
            try:
                done = self._changed.wait_for(
                    lambda: self._failure is not None or not self._held(), timeout_s
                )
            finally:
                self._flushing -= 1
            if self._failure is not None:
                raise self._failure
            if not done:
                raise StoreUnavailableError("FLUSH_TIMEOUT", "not everything is durable yet")

    def close(self, timeout_s: float | None = None) -> None:
        """Flush, then end; what could not be sent in time is not acknowledged.

        Args:
            timeout_s: Longest time to wait for the flush, in seconds.

        Raises:
            StoreRefusedError: As `flush`.
            StoreUnavailableError: As `flush`.
        """
        try:
            if not self._closed:
                self.flush(timeout_s)
        finally:
            with self._changed:
                self._closed = True
                self._stopping.set()
                self._changed.notify_all()
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
            return
        # The block has failed: what it put so far is not waited for.
        with self._changed:
            self._closed = True
            self._stopping.set()
            self._changed.notify_all()
        self._thread.join()

    def _held(self) -> int:
        return len(self._queue) + self._in_flight

    def _demand_running(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._closed:
            raise ValueError("the producer is closed")

    def _run(self) -> None:
        while True:
            pending = self._gather()
            if not pending:
                return
            try:
                batch = make_batch(pending, self._random_bytes(16))
                self._send(batch)
            except GarimError as failure:
                self._end(failure)
                return
            except Exception as error:  # noqa: BLE001 - whatever ends the thread must reach the caller
                unexpected = GarimError("PRODUCER_FAILED", f"an unexpected {type(error).__name__}")
                unexpected.__cause__ = error
                self._end(unexpected)
                return
            with self._changed:
                self._in_flight = 0
                self._acknowledged = batch.position
                self._changed.notify_all()

    def _end(self, failure: GarimError) -> None:
        with self._changed:
            self._failure = failure
            self._changed.notify_all()

    def _gather(self) -> list[Pending]:
        """Wait for a whole batch, for its time, for a flush, or for the end."""
        with self._changed:
            while not self._closed:
                if len(self._queue) >= self._batch_size or (self._queue and self._flushing):
                    break
                if not self._queue:
                    self._changed.wait()
                    continue
                left_s = self._queue[0][1] + self._batch_s - self._clock()
                if left_s <= 0:
                    break
                self._changed.wait(left_s)
            if self._closed:
                return []
            count = min(len(self._queue), self._batch_size)
            taken = [self._queue.popleft()[0] for _ in range(count)]
            self._in_flight = count
            return taken

    def _send(self, batch: Batch) -> None:
        """Send a batch, unchanged and under its id, until it is answered."""
        began_s, attempt, asked = self._clock(), 0, 0
        while True:
            try:
                answer = self._store.append(batch.request)
                if answer.WhichOneof("result") == "accepted":
                    return
                unknown = answer.rosters_unknown.positions
                self._store.put_rosters(tuple(batch.rosters[position] for position in unknown))
                failure = StoreUnavailableError("ROSTERS_UNKNOWN", "the store forgets rosters")
                # A roster is put once for each epoch: that it is unknown is no failure unless it stays so.
                asked += 1
                wait_s = 0.0 if asked == 1 else self._wait_s(asked, None)
            except StoreUnavailableError as error:
                failure = error
                attempt += 1
                wait_s = self._wait_s(attempt, error.retry_after_s)
            if self._stopping.is_set() or (
                self._give_up_s is not None and self._clock() - began_s + wait_s > self._give_up_s
            ):
                raise failure
            if wait_s:
                self._sleep(wait_s)

    @staticmethod
    def _wait_s(attempt: int, asked_s: float | None) -> float:
        limit_s: float = min(LARGEST_BACKOFF_S, FIRST_BACKOFF_S * 2 ** min(attempt - 1, 10))
        drawn_s = limit_s * (0.5 + random.random() / 2)  # noqa: S311 - jitter, no secret
        return max(drawn_s, asked_s or 0.0)
