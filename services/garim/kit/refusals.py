"""Refused calls: counted, logged and handed to the service, at a rate nobody can use to flood the log."""

from __future__ import annotations

import dataclasses
import queue
import threading
from collections.abc import Callable

from garim.kit.clock import Clock
from garim.kit.telemetry import Telemetry
from garim.statements.refusal import Kind

WINDOW_MS = 60_000
MAX_SOURCES = 1024


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """One refused call, or several alike.

    Attributes:
        method: Path of the RPC, or `unlisted`.
        caller: SPIFFE id of the caller, or `unknown`.
        reason: UPPER_SNAKE reason.
        kind: What sort of refusal it is.
        count: How many calls this stands for: one, and those held back before it.
    """

    method: str
    caller: str
    reason: str
    kind: Kind
    count: int = 1


# Where a service takes refused calls, to append them to the audit log. It runs on a thread of its own, may
# block, and may raise: the call has been answered by then.
RefusalSink = Callable[[Refusal], None]


class RefusalReporter:
    """Counts all refused calls; logs them and hands those of callers without right to the sink, at a rate.

    The first refusal of a source (caller, method, reason) is reported at once, those of the next minute
    together with the first one after it, or when the reporter is flushed. More than `MAX_SOURCES` sources
    share one entry.

    Args:
        telemetry: Where refusals are counted and logged.
        clock: Where the minute is measured.
        sink: Takes the refusals of kind FORBIDDEN; None if the service has no audit log.
    """

    def __init__(self, telemetry: Telemetry, clock: Clock, sink: RefusalSink | None = None) -> None:
        self._telemetry = telemetry
        self._clock = clock
        self._sink = sink
        self._lock = threading.Lock()
        self._reported_ms: dict[Refusal, int] = {}
        self._held_back: dict[Refusal, int] = {}
        self._queue: queue.Queue[Refusal | None] = queue.Queue(maxsize=MAX_SOURCES)
        self._worker = threading.Thread(target=self._hand_over, name="refusals", daemon=True)

    def start(self) -> None:
        """Begin to hand refusals to the sink."""
        self._worker.start()

    def close(self, timeout_s: float = 5.0) -> None:
        """Report what was held back and wait until the sink has taken it.

        Args:
            timeout_s: How long to wait, in seconds.
        """
        self.flush()
        if self._worker.is_alive():
            self._queue.put(None)
            self._worker.join(timeout_s)

    def report(self, refusal: Refusal) -> None:
        """Take one refused call; never blocks."""
        self._telemetry.count("calls_refused", method=refusal.method, reason=refusal.reason)
        now_ms = self._clock.monotonic_ms()
        with self._lock:
            source = self._source(refusal, now_ms)
            last_ms = self._reported_ms.get(source)
            if last_ms is not None and now_ms - last_ms < WINDOW_MS:
                self._held_back[source] = self._held_back.get(source, 0) + 1
                return
            self._reported_ms[source] = now_ms
            count = 1 + self._held_back.pop(source, 0)
        self._emit(dataclasses.replace(source, count=count))

    def flush(self) -> None:
        """Report what was held back so far."""
        with self._lock:
            held_back, self._held_back = self._held_back, {}
        for source, count in held_back.items():
            self._emit(dataclasses.replace(source, count=count))

    def _source(self, refusal: Refusal, now_ms: int) -> Refusal:
        if refusal in self._reported_ms or len(self._reported_ms) < MAX_SOURCES:
            return refusal
        for source, last_ms in list(self._reported_ms.items()):
            if now_ms - last_ms >= WINDOW_MS and source not in self._held_back:
                del self._reported_ms[source]
        if len(self._reported_ms) < MAX_SOURCES:
            return refusal
        return Refusal("several", "several", "SEVERAL", Kind.FORBIDDEN)

    def _emit(self, refusal: Refusal) -> None:
        self._telemetry.warning(
            "call_refused",
            method=refusal.method,
            caller=refusal.caller,
            reason=refusal.reason,
            kind=refusal.kind.value,
            count=refusal.count,
        )
        if self._sink is None or refusal.kind is not Kind.FORBIDDEN:
            return
        try:
            self._queue.put_nowait(refusal)
        except queue.Full:
            self._telemetry.count("refusals_not_handed_over", refusal.count)

    def _hand_over(self) -> None:
        while (refusal := self._next()) is not None:
            if self._sink is None:
                continue
            try:
                self._sink(refusal)
            except Exception as error:  # noqa: BLE001 - a failing sink must not end the reporting of refusals
                self._telemetry.count("refusals_not_handed_over", refusal.count)
                self._telemetry.error("refusal_sink_failed", error=type(error).__name__)

    def _next(self) -> Refusal | None:
        while True:
            try:
                return self._queue.get(timeout=WINDOW_MS / 1000)
            except queue.Empty:
                self.flush()
