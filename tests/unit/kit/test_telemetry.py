from __future__ import annotations

import io
import json

import pytest

from garim.kit.telemetry import ContentInTelemetryError, Telemetry, log_refusal
from garim.kit.tracing import Tracing
from garim.statements.refusal import RefusedError
from garim.testing.clock import ManualClock


def telemetry(*, strict: bool) -> tuple[Telemetry, io.StringIO]:
    stream = io.StringIO()
    return Telemetry("custody", ManualClock(now_ms=1234), stream=stream, strict=strict), stream


def test_a_line_is_json_with_listed_keys() -> None:
    logs, stream = telemetry(strict=True)
    logs.info("segment_released", count=3, epoch="e1", state=None)
    assert json.loads(stream.getvalue()) == {
        "count": 3,
        "epoch": "e1",
        "event": "segment_released",
        "level": "info",
        "service": "custody",
        "state": None,
        "time_ms": 1234,
    }


SLIPS = [
    {"text": "hello"},
    {"reason": "김가림"},
    {"reason": "a whole sentence"},
    {"reason": "x" * 161},
    {"reason": "line\nbreak"},
    {"reason": "a@b"},
    {"reason": ["list"]},
    {"reason": {"a": "dict"}},
    {"reason": b"bytes"},
]


@pytest.mark.parametrize("values", SLIPS)
def test_content_cannot_slip_into_logs_and_counters(values: dict[str, str]) -> None:
    strict, _ = telemetry(strict=True)
    for write in (strict.info, strict.warning, strict.error, strict.count):
        with pytest.raises(ContentInTelemetryError):
            write("something_happened", **values)
    running, stream = telemetry(strict=False)
    running.info("something_happened", **values)
    line = json.loads(stream.getvalue())
    assert set(line) == {"event", "level", "service", "time_ms", "suppressed"}
    assert line["suppressed"] == 1


def test_an_event_is_a_name_and_no_sentence() -> None:
    strict, _ = telemetry(strict=True)
    with pytest.raises(ContentInTelemetryError):
        strict.info("김가림 said hello")
    running, stream = telemetry(strict=False)
    running.info("김가림 said hello")
    assert json.loads(stream.getvalue())["event"] == "event_dropped"


def test_a_refusals_message_is_not_logged() -> None:
    logs, stream = telemetry(strict=True)
    log_refusal(logs, "document_refused", RefusedError("PERIOD", "some text", field="period.end"))
    line = json.loads(stream.getvalue())
    assert (line["reason"], line["field"], line["kind"]) == ("PERIOD", "period.end", "invalid")
    assert "some text" not in stream.getvalue()


def test_counters_add_up_by_label() -> None:
    logs, _ = telemetry(strict=True)
    logs.count("calls_served", method="/a", code="OK")
    logs.count("calls_served", 2, method="/a", code="BAD")
    logs.count("calls_served", method="/b", code="OK")
    counted = [logs.counted("calls_served", **labels) for labels in ({}, {"method": "/a"}, {"code": "OK"})]
    assert counted == [4, 3, 2]


def test_a_trace_goes_on_at_the_peer_and_carries_no_error_text() -> None:
    stream = io.StringIO()
    logs = Telemetry("custody", ManualClock(), stream=stream, tracing=Tracing("console"), strict=True)

    def fail() -> None:
        with logs.span("outer"):
            headers = logs.trace_headers()
            with logs.span("inner", headers):
                raise KeyError("김가림")

    with pytest.raises(KeyError):
        fail()
    logs.close()
    logs.close()
    spans = stream.getvalue()
    assert "김가림" not in spans.encode().decode("unicode_escape")
    ids = {line.strip() for line in spans.splitlines() if '"trace_id"' in line}
    assert len(ids) == 1
    assert spans.count('"events": []') == 2


def test_without_tracing_nothing_is_sent_along() -> None:
    logs, stream = telemetry(strict=True)
    with logs.span("outer"):
        assert logs.trace_headers() == {}
    assert stream.getvalue() == ""
