from __future__ import annotations

import io
import re
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client import generate_latest

from garim.kit.metrics import METRICS, MetricsServer
from garim.kit.telemetry import ContentInTelemetryError, Telemetry
from garim.testing.clock import ManualClock

# https://prometheus.io/docs/practices/naming/
_NAME = re.compile(r"garim_[a-z]+(_[a-z]+)*")


def telemetry(*, strict: bool = True) -> Telemetry:
    return Telemetry("custody", ManualClock(), stream=io.StringIO(), strict=strict)


def shown(it: Telemetry) -> str:
    return generate_latest(it.metrics.registry).decode()


@pytest.mark.parametrize("key", sorted(METRICS))
def test_names_follow_the_convention(key: str) -> None:
    metric = METRICS[key]
    assert _NAME.fullmatch(metric.name)
    assert not metric.name.endswith("_total")
    assert metric.help.endswith(".")
    assert (metric.kind == "duration") == (
        metric.name.endswith("_seconds") and "timestamp" not in metric.name
    )
    if metric.kind == "gauge":
        assert len(metric.labels) <= 1


def test_two_metrics_never_share_a_name() -> None:
    assert len({metric.name for metric in METRICS.values()}) == len(METRICS)


def test_what_is_counted_is_shown() -> None:
    it = telemetry()
    it.count("calls_refused", 2, method="/a/B", reason="ACCESS_DENIED")
    it.observe("call_served", 0.3, method="/a/B")
    it.gauge("cases", lambda: {"granted": 3})
    text = shown(it)
    assert 'garim_rpc_refused_total{method="/a/B",reason="ACCESS_DENIED"} 2.0' in text
    assert 'garim_rpc_served_seconds_bucket{le="0.5",method="/a/B"} 1.0' in text
    assert 'garim_cases{state="granted"} 3.0' in text


def test_a_gauge_that_fails_is_left_out_and_counted() -> None:
    it = telemetry()

    def broken() -> float:
        raise OSError("김가림")

    it.gauge("orders", broken)
    it.gauge("frozen", lambda: 1)
    text = shown(it)
    assert "garim_preservation_orders " not in text
    assert "garim_freezes 1.0" in text
    assert it.counted("gauge_failed", kind="orders") == 1
    assert "김가림" not in shown(it)


@pytest.mark.parametrize("labels", [{"reason": "x"}, {}, {"reason": "김가림", "method": "/a"}])
def test_a_counter_takes_its_own_labels_and_no_content(labels: dict[str, str]) -> None:
    with pytest.raises(ContentInTelemetryError):
        telemetry().count("calls_refused", **labels)
    running = telemetry(strict=False)
    running.count("calls_refused", **labels)
    assert running.counted("event_dropped") == 1
    assert running.counted("calls_refused") == 0


def test_an_unlisted_metric_is_refused() -> None:
    with pytest.raises(ContentInTelemetryError):
        telemetry().count("something_else")
    with pytest.raises(KeyError):
        telemetry().gauge("calls_served", lambda: 1)


@pytest.fixture
def server(socket_enabled: object) -> Iterator[tuple[Telemetry, MetricsServer]]:
    it = telemetry()
    running = MetricsServer(it.metrics, "127.0.0.1", 0)
    yield it, running
    running.close()


def test_prometheus_reads_it_over_http(server: tuple[Telemetry, MetricsServer]) -> None:
    it, running = server
    it.count("incidents")
    with urllib.request.urlopen(f"http://127.0.0.1:{running.port}/metrics", timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert b"garim_incidents_total 1.0" in answer.read()
