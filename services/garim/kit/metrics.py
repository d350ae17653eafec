"""What is measured, under one name each, for Prometheus to read.

Every metric of every service stands in `METRICS`: the alert rules may name no other. Counters and durations
are counted as they happen; gauges are read when somebody looks. No label is anything but a listed word of the
code: a method, a status, a reason, a state.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

Kind = Literal["counter", "duration", "gauge"]
Reading = float | Mapping[str, float]
"""One value, or one for each value of the metric's only label."""

# Seconds. The shortest call takes a millisecond, an approval with a confined document some hundred.
DURATION_BOUNDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, math.inf)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: As Prometheus knows it (without the `_total` of counters).
        kind: A counter, the duration of something in seconds, or a gauge.
        help: What it tells.
        labels: Its labels; a gauge has at most one.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "calls_served": Metric(
            "garim_rpc_served", "counter", "Calls answered, by method and status.", ("method", "code")
        ),
        "call_served": Metric(
            "garim_rpc_served_seconds", "duration", "Time that answered calls took.", ("method",)
        ),
        "calls_refused": Metric(
            "garim_rpc_refused", "counter", "Calls refused, by method and reason.", ("method", "reason")
        ),
        "calls_failed": Metric(
            "garim_rpc_failed",
            "counter",
            "Calls to a peer that ended in an error, by method and reason.",
            ("method", "reason"),
        ),
        "incidents": Metric(
            "garim_incidents", "counter", "Errors that no refusal explains: faults in Garim."
        ),
        "refusals_not_handed_over": Metric(
            "garim_refusals_not_logged", "counter", "Refused callers that did not get into the audit log."
        ),
        "event_dropped": Metric(
            "garim_telemetry_dropped", "counter", "Events or values dropped, as they may hold content."
        ),
        "gauge_failed": Metric(
            "garim_gauge_failed", "counter", "Readings of a gauge that failed, by gauge.", ("kind",)
        ),
        "case_transitions": Metric(
            "garim_case_transitions",
            "counter",
            "Steps of cases, by cause and new state.",
            ("reason", "state"),
        ),
        "due_items_overdue": Metric(
            "garim_duties_became_overdue", "counter", "Duties that became overdue, by duty.", ("kind",)
        ),
        "documents_refused": Metric(
            "garim_documents_refused", "counter", "Documents refused, by reason.", ("reason",)
        ),
        "documents_answered": Metric(
            "garim_documents_answered", "counter", "Documents answered, by the case's state.", ("state",)
        ),
        "ready": Metric("garim_ready", "gauge", "1 while every readiness check passes, else 0."),
        "certificate_expiry": Metric(
            "garim_certificate_expiry_timestamp_seconds",
            "gauge",
            "When the service's own certificate ends, in seconds since 1970.",
        ),
        "log_waiting": Metric(
            "garim_log_waiting_entries", "gauge", "Entries of this service that are not in the log yet."
        ),
        "log_waiting_since": Metric(
            "garim_log_waiting_since_timestamp_seconds",
            "gauge",
            "Time of the oldest entry that is not in the log yet; 0 if none waits.",
        ),
        "log_pinned": Metric(
            "garim_log_pinned_entries", "gauge", "Size of the log that this service has seen."
        ),
        "log_entries": Metric("garim_log_entries", "gauge", "Entries in the log."),
        "log_forks": Metric("garim_log_forks", "gauge", "Proofs at hand that the log showed two histories."),
        "epoch_end": Metric(
            "garim_epoch_end_timestamp_seconds", "gauge", "When the newest epoch ends, in seconds since 1970."
        ),
        "epochs_overdue": Metric(
            "garim_epochs_overdue", "gauge", "Epochs past retention whose keys still exist."
        ),
        "epochs_kept": Metric("garim_epochs_kept", "gauge", "Epochs in the store, by state.", ("state",)),
        "frozen": Metric("garim_freezes", "gauge", "Freezes in force."),
        "orders": Metric("garim_preservation_orders", "gauge", "Preservation orders in force."),
        "unmask_requests": Metric(
            "garim_unmask_requests", "gauge", "Second requests that are not finished, by state.", ("state",)
        ),
        "cases": Metric("garim_cases", "gauge", "Cases, by state.", ("state",)),
        "reviews_since": Metric(
            "garim_review_waiting_since_timestamp_seconds",
            "gauge",
            "When the case was received that has waited longest for reviewers; 0 if none waits.",
        ),
        "duties_overdue": Metric("garim_duties_overdue", "gauge", "Duties overdue now."),
        "revocation_list_expiry": Metric(
            "garim_revocation_list_expiry_timestamp_seconds",
            "gauge",
            "When the revocation list that ends first ends; 0 if there is none.",
        ),
        "builds": Metric("garim_builds", "gauge", "Dossiers that are being made, by state.", ("state",)),
    }
)


class Metrics:
    """The metrics of one service.

    Args:
        failed: Told the name of a gauge whose reading failed.
    """

    def __init__(self, failed: Callable[[str], None]) -> None:
        self.registry = CollectorRegistry()
        self._failed = failed
        self._lock = threading.Lock()
        self._counters: dict[str, Counter] = {}
        self._durations: dict[str, Histogram] = {}
        self._gauges: dict[str, Callable[[], Reading]] = {}
        ProcessCollector(registry=self.registry)
        self.registry.register(_Gauges(self))

    def count(self, name: str, amount: int, labels: Mapping[str, str]) -> None:
        """Add to a counter.

        Args:
            name: Its key in `METRICS`.
            amount: How many.
            labels: Value of each of its labels.
        """
        metric = METRICS[name]
        with self._lock:
            if name not in self._counters:
                self._counters[name] = Counter(
                    metric.name, metric.help, metric.labels, registry=self.registry
                )
        counter = self._counters[name]
        (counter.labels(*(labels[one] for one in metric.labels)) if metric.labels else counter).inc(amount)

    def observe(self, name: str, seconds: float, labels: Mapping[str, str]) -> None:
        """Note how long something took.

        Args:
            name: Its key in `METRICS`.
            seconds: How long, in seconds.
            labels: Value of each of its labels.
        """
        metric = METRICS[name]
        with self._lock:
            if name not in self._durations:
                self._durations[name] = Histogram(
                    metric.name, metric.help, metric.labels, registry=self.registry, buckets=DURATION_BOUNDS
                )
        duration = self._durations[name]
        chosen = duration.labels(*(labels[one] for one in metric.labels)) if metric.labels else duration
        chosen.observe(seconds)

    def gauge(self, name: str, read: Callable[[], Reading]) -> None:
        """Read a gauge whenever somebody looks.

        Args:
            name: Its key in `METRICS`.
            read: Quick; what it raises leaves the gauge out of that look.
        """
        if METRICS[name].kind != "gauge":
            raise KeyError(name)
        with self._lock:
            self._gauges[name] = read

    def counted(self, name: str, labels: Mapping[str, str]) -> int:
        """Return the sum of a counter over all label sets that include `labels`."""
        counter = self._counters.get(name)
        if counter is None:
            return 0
        samples = (one for family in counter.collect() for one in family.samples)
        totals = (one for one in samples if one.name.endswith("_total"))
        return round(sum(one.value for one in totals if labels.items() <= one.labels.items()))

    def readings(self) -> Iterable[GaugeMetricFamily]:
        """Yield what every gauge reads now."""
        with self._lock:
            gauges = dict(self._gauges)
        for name, read in gauges.items():
            metric = METRICS[name]
            try:
                reading = read()
            except Exception:  # noqa: BLE001 - whatever one gauge raises, the others are shown
                self._failed(name)
                continue
            family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
            if isinstance(reading, Mapping):
                for label, value in reading.items():
                    family.add_metric([label], value)
            else:
                family.add_metric([], reading)
            yield family


class _Gauges(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self._metrics.readings()


class MetricsServer:
    """Answers `/metrics` over plain HTTP: for a port that only the monitoring reaches.

    Args:
        metrics: What to show.
        host: Address to listen on.
        port: Its port; 0 takes a free one.

    Attributes:
        port: The port that was taken.

    Raises:
        OSError: The port cannot be had.
    """

    def __init__(self, metrics: Metrics, host: str, port: int) -> None:
        self._server: WSGIServer
        self._server, self._thread = start_http_server(port, addr=host, registry=metrics.registry)
        self.port = int(self._server.server_port)

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
