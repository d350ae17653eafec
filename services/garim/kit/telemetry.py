"""Logs, counters and traces that cannot carry content.

A log line is JSON of an event name and listed keys; a value is a number, a truth value or a short token of
ASCII characters without spaces. So a message, a name in Hangul or a sentence does not fit in. What does not
pass is a programming error: `strict` telemetry (tests) raises, a running service drops the value and counts
it.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO

import structlog
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from garim.kit.clock import Clock
from garim.kit.metrics import METRICS, Metrics, Reading
from garim.kit.tracing import NO_TRACING, Tracing, tracer_provider
from garim.statements.refusal import RefusedError

Value = str | int | float | bool | None

ALLOWED_KEYS = frozenset(
    {
        "address",
        "attempt",
        "bytes",
        "caller",
        "case",
        "check",
        "code",
        "conversations",
        "count",
        "digest",
        "dossier",
        "duration_ms",
        "entry",
        "epoch",
        "error",
        "field",
        "health_port",
        "incident",
        "index",
        "kind",
        "mesh",
        "messages",
        "method",
        "metrics_port",
        "object",
        "peer",
        "places",
        "port",
        "reason",
        "request",
        "revision",
        "role",
        "segments",
        "service",
        "size",
        "state",
        "step",
        "suppressed",
        "version",
    }
)
_EVENT = re.compile(r"[a-z][a-z0-9_.]{2,59}")
_TOKEN = re.compile(r"[A-Za-z0-9_./:<>\[\]=,-]*")
# Places of an incident are a chain of code positions and may be longer than other tokens.
_LONGEST = {"places": 1200}
_LONGEST_TOKEN = 160


class ContentInTelemetryError(Exception):
    """Something other than a listed key with a plain token was about to be logged."""


class Telemetry:
    """Logs, counts and traces for one service.

    Args:
        service: Name of the service, on every line.
        clock: Where the time on each line comes from.
        stream: Where lines go; standard error if None.
        tracing: Where spans go.
        strict: Raise on anything that may not be logged or counted instead of dropping it.

    Attributes:
        metrics: What is measured.
    """

    def __init__(
        self,
        service: str,
        clock: Clock,
        *,
        stream: TextIO | None = None,
        tracing: Tracing = NO_TRACING,
        strict: bool = False,
    ) -> None:
        self._strict = strict
        self.metrics = Metrics(lambda name: self.count("gauge_failed", kind=name))
        self._log = structlog.wrap_logger(
            structlog.WriteLogger(stream if stream is not None else sys.stderr),
            processors=[
                structlog.processors.add_log_level,
                lambda _logger, _name, line: {**line, "time_ms": clock.now_ms()},
                structlog.processors.JSONRenderer(sort_keys=True),
            ],
        ).bind(service=service)
        self._provider = tracer_provider(service, tracing, stream)
        self._tracer = self._provider.get_tracer("garim") if self._provider else trace.NoOpTracer()
        self._propagator = TraceContextTextMapPropagator()

    def info(self, event: str, **values: Value) -> None:
        """Write a line about something expected."""
        self._log.info(self._event(event), **self._passed(values))

    def warning(self, event: str, **values: Value) -> None:
        """Write a line about something that somebody should look at."""
        self._log.warning(self._event(event), **self._passed(values))

    def error(self, event: str, **values: Value) -> None:
        """Write a line about something that failed."""
        self._log.error(self._event(event), **self._passed(values))

    def count(self, name: str, amount: int = 1, **labels: Value) -> None:
        """Add to a counter of `metrics.METRICS`; each set of labels counts by itself."""
        if (passed := self._labels(name, labels)) is not None:
            self.metrics.count(name, amount, passed)

    def observe(self, name: str, seconds: float, **labels: Value) -> None:
        """Note how long something took, in seconds, under a duration of `metrics.METRICS`."""
        if (passed := self._labels(name, labels)) is not None:
            self.metrics.observe(name, seconds, passed)

    def gauge(self, name: str, read: Callable[[], Reading]) -> None:
        """Read a gauge of `metrics.METRICS` whenever the monitoring looks."""
        self.metrics.gauge(name, read)

    def counted(self, name: str, **labels: Value) -> int:
        """Return the sum of a counter over all label sets that include `labels`."""
        return self.metrics.counted(name, {key: _label(value) for key, value in labels.items()})

    @contextlib.contextmanager
    def span(self, name: str, carrier: Mapping[str, str] | None = None) -> Iterator[None]:
        """Trace a block; spans carry a name and a duration, never attributes of the content.

        Args:
            name: Name of the span, such as the path of an RPC.
            carrier: Metadata of the call that continues a caller's trace (W3C Trace Context).
        """
        parent = self._propagator.extract(dict(carrier)) if carrier else None
        with self._tracer.start_as_current_span(
            name, context=parent, record_exception=False, set_status_on_exception=False
        ):
            yield

    def trace_headers(self) -> dict[str, str]:
        """Return the metadata that lets a peer continue the present trace; empty without tracing."""
        headers: dict[str, str] = {}
        self._propagator.inject(headers)
        return headers

    def close(self) -> None:
        """Flush the spans; nothing happens the second time."""
        provider, self._provider = self._provider, None
        if provider:
            provider.shutdown()

    def _labels(self, name: str, labels: Mapping[str, Value]) -> dict[str, str] | None:
        metric = METRICS.get(name)
        passed = {key: _label(value) for key, value in labels.items() if _may_pass(key, value)}
        if metric is not None and set(metric.labels) == passed.keys() == labels.keys():
            return passed
        if self._strict:
            raise ContentInTelemetryError("a metric is not listed, or a label of it is no plain token")
        self.metrics.count("event_dropped", 1, {})
        return None

    def _event(self, event: str) -> str:
        if _EVENT.fullmatch(event):
            return event
        if self._strict:
            raise ContentInTelemetryError("an event's name is lower-case words")
        return "event_dropped"

    def _passed(self, values: Mapping[str, Value]) -> dict[str, Any]:
        passed = {key: value for key, value in values.items() if _may_pass(key, value)}
        if len(passed) != len(values):
            if self._strict:
                raise ContentInTelemetryError("a key is not listed, or a value is no plain token")
            passed["suppressed"] = len(values) - len(passed)
        return passed


def log_refusal(telemetry: Telemetry, event: str, refusal: RefusedError) -> None:
    """Write a line about a refusal: its reason, kind and field, not its message."""
    telemetry.warning(event, reason=refusal.reason, kind=refusal.kind.value, field=refusal.field or None)


def _label(value: Value) -> str:
    return "" if value is None else str(value)


def _may_pass(key: str, value: Value) -> bool:
    if key not in ALLOWED_KEYS:
        return False
    if isinstance(value, str):
        return len(value) <= _LONGEST.get(key, _LONGEST_TOKEN) and _TOKEN.fullmatch(value) is not None
    return value is None or isinstance(value, bool | int | float)
