"""The producer: a bounded queue, batches cut ahead while one is under way, acknowledged positions."""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Literal, Self

from garim.sdk.batches import BATCH_ID_BYTES, Batch, Pending, make_batch, resumable_id
from garim.sdk.errors import GarimError, QueueFullError, StoreRefusedError, StoreUnavailableError
from garim.sdk.model import Message, Roster
from garim.sdk.sending import Sender, Store
from garim.statements.refusal import RefusedError

MAX_BATCH = 5_000


class Producer:
    """Hands messages to a store in order, batch after batch; safe to use from several threads.

    After the store has refused a batch for good nothing more is sent: every further call raises that refusal,
    and `acknowledged` still tells how far it went.

    Args:
        store: Where to.
        stream: Name of the sequence of messages that is put here, one among those of the back end, whose
            positions are int, str or bytes and never repeat. With it, batch ids are made from positions: a
            producer that takes up the stream where `acknowledged` stood stores nothing twice, even where the
            one before died without hearing the answer.
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
        stream: str = "",
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
        self._stream = stream
        self._batch_size = batch_size
        self._batch_s = batch_ms / 1000
        self._queue_size = queue_size
        self._when_full = when_full
        self._random_bytes = random_bytes
        self._stopping = threading.Event()
        self._clock = clock
        self._sender = Sender(
            store,
            give_up_s=give_up_s,
            stopping=self._stopping,
            sleep=sleep or self._stopping.wait,
            clock=clock,
            answered=self._notify,
        )
        self._changed = threading.Condition()
        self._queue: deque[Pending] = deque()
        # Out of the queue, but not acknowledged.
        self._taken = 0
        self._ahead: Batch | None = None
        # How many messages the next batch must hold, where the store has said so.
        self._exactly: int | None = None
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
            TypeError: The stream has a name, and the position cannot become part of an id.
        """
        if self._stream and not isinstance(position, int | str | bytes):
            resumable_id(self._stream, position)
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
            self._queue.append(Pending(roster, message, position, self._clock()))
            # Whoever cuts batches waits for the first message, then for its time or for a whole batch.
            if len(self._queue) in {1, self._exactly or self._batch_size}:
                self._changed.notify_all()

    def acknowledged(self) -> object:
        """Return the last position up to which everything that was put is durable; None before the first.

        After a restart a back end goes on behind it, and nothing is lost. What was under way when it died is
        recognised by its id where the stream has a name; without one it may be stored twice.
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
        return len(self._queue) + self._taken

    def _demand_running(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._closed:
            raise ValueError("the producer is closed")

    def _run(self) -> None:
        try:
            while (batch := self._ahead or self._next()) is not None:
                self._ahead = None
                if stored := self._sender.send(batch, meanwhile=self._cut_ahead):
                    self._cut_elsewhere(batch, stored)
                else:
                    self._acknowledge(batch)
        except GarimError as failure:
            self._end(failure)
        except Exception as error:  # noqa: BLE001 - whatever ends the thread must reach the caller
            unexpected = GarimError("PRODUCER_FAILED", f"an unexpected {type(error).__name__}")
            unexpected.__cause__ = error
            self._end(unexpected)

    def _end(self, failure: GarimError) -> None:
        with self._changed:
            self._failure = failure
            self._changed.notify_all()

    def _acknowledge(self, batch: Batch) -> None:
        with self._changed:
            self._taken -= len(batch.pending)
            self._acknowledged = batch.position
            self._changed.notify_all()

    def _next(self) -> Batch | None:
        """Wait for a whole batch, for its time, for a flush, or for the end; None then."""
        with self._changed:
            while not self._closed:
                left_s = self._left_s()
                if left_s is not None and left_s <= 0:
                    return self._make(self._take())
                self._changed.wait(left_s)
            return None

    def _left_s(self) -> float | None:
        """Return how long the next batch may wait for further messages, in seconds; None for any time."""
        if not self._queue:
            return None
        if self._exactly is not None:
            if len(self._queue) < self._exactly and self._flushing:
                raise StoreRefusedError(
                    "BATCH_CHANGED", "more was stored from here on: put the same messages again"
                )
            return 0 if len(self._queue) >= self._exactly else None
        if len(self._queue) >= self._batch_size or self._flushing:
            return 0
        return self._queue[0].put_s + self._batch_s - self._clock()

    def _take(self) -> list[Pending]:
        count = min(len(self._queue), self._exactly or self._batch_size)
        self._exactly = None
        self._taken += count
        return [self._queue.popleft() for _ in range(count)]

    def _make(self, pending: list[Pending]) -> Batch:
        if not self._stream:
            return make_batch(pending, self._random_bytes(BATCH_ID_BYTES))
        batch_id = resumable_id(self._stream, pending[0].position)
        return make_batch(pending, batch_id, resumable=True)

    def _cut_ahead(self) -> None:
        """While a batch is under way, make the next one as soon as it is whole."""
        with self._changed:
            while len(self._queue) < self._batch_size and self._sender.under_way and self._ahead is None:
                self._changed.wait()
            if self._ahead is not None or len(self._queue) < self._batch_size:
                return
            pending = self._take()
        self._ahead = self._make(pending)

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _cut_elsewhere(self, batch: Batch, stored: int) -> None:
        """Put a batch back: one that began like it was stored before, but held another number of messages."""
        if stored == len(batch.pending) or stored > self._queue_size:
            raise StoreRefusedError("BATCH_CHANGED", f"{stored} other messages were stored from here on")
        ahead = self._ahead.pending if self._ahead else ()
        with self._changed:
            self._queue.extendleft(reversed((*batch.pending, *ahead)))
            self._taken = 0
            self._ahead = None
            self._exactly = stored
