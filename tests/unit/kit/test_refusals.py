from __future__ import annotations

import io
import threading

from garim.kit.refusals import MAX_SOURCES, WINDOW_MS, Refusal, RefusalReporter
from garim.kit.telemetry import Telemetry
from garim.statements.refusal import Kind
from garim.testing.clock import ManualClock

DENIED = Refusal("/a.B/C", "spiffe://m/service/x", "ACCESS_DENIED", Kind.FORBIDDEN)


class Reported:
    def __init__(self, *, failing: bool = False) -> None:
        self.clock = ManualClock()
        self.log = io.StringIO()
        self.telemetry = Telemetry("custody", self.clock, stream=self.log, strict=True)
        self.taken: list[Refusal] = []
        self.failing = failing
        self.reporter = RefusalReporter(self.telemetry, self.clock, self.sink)
        self.reporter.start()

    def sink(self, refusal: Refusal) -> None:
        if self.failing:
            raise KeyError("the log is away")
        self.taken.append(refusal)


def test_a_flood_becomes_one_entry_a_minute_and_no_refusal_is_lost() -> None:
    it = Reported()
    for _ in range(100):
        it.reporter.report(DENIED)
    it.clock.advance(WINDOW_MS)
    for _ in range(50):
        it.reporter.report(DENIED)
    it.reporter.close()
    assert [refusal.count for refusal in it.taken] == [1, 100, 49]
    assert it.telemetry.counted("calls_refused") == 150
    assert it.log.getvalue().count('"call_refused"') == 3


def test_another_caller_method_or_reason_is_reported_at_once() -> None:
    it = Reported()
    others = [
        Refusal("/a.B/D", DENIED.caller, DENIED.reason, DENIED.kind),
        Refusal(DENIED.method, "spiffe://m/service/y", DENIED.reason, DENIED.kind),
        Refusal(DENIED.method, DENIED.caller, "IDENTITY_MISSING", DENIED.kind),
    ]
    for refusal in (DENIED, *others):
        it.reporter.report(refusal)
    it.reporter.close()
    assert it.taken == [DENIED, *others]


def test_many_sources_take_no_more_room_and_are_still_counted() -> None:
    it = Reported()
    for number in range(MAX_SOURCES + 50):
        it.reporter.report(
            Refusal("/a.B/C", f"spiffe://m/service/s{number}", "ACCESS_DENIED", Kind.FORBIDDEN)
        )
    it.reporter.close()
    assert sum(refusal.count for refusal in it.taken) + it.telemetry.counted("refusals_not_handed_over") == (
        MAX_SOURCES + 50
    )
    assert len({refusal.caller for refusal in it.taken}) <= MAX_SOURCES + 1


def test_only_callers_without_right_are_handed_to_the_audit_log() -> None:
    it = Reported()
    it.reporter.report(Refusal("/a.B/C", DENIED.caller, "PERIOD_OPEN", Kind.INVALID))
    it.reporter.close()
    assert it.taken == []
    assert '"reason": "PERIOD_OPEN"' in it.log.getvalue()


def test_a_sink_that_fails_is_logged_and_asked_again() -> None:
    it = Reported(failing=True)
    it.reporter.report(DENIED)
    it.reporter.report(Refusal("/a.B/D", DENIED.caller, DENIED.reason, DENIED.kind))
    it.reporter.close()
    assert it.telemetry.counted("refusals_not_handed_over") == 2
    assert it.log.getvalue().count('"refusal_sink_failed"') == 2


def test_a_sink_that_hangs_does_not_hold_up_a_call() -> None:
    release = threading.Event()
    clock = ManualClock()
    reporter = RefusalReporter(
        Telemetry("custody", clock, stream=io.StringIO(), strict=True), clock, lambda _r: release.wait(10)
    )
    reporter.start()
    for number in range(MAX_SOURCES * 2):
        reporter.report(
            Refusal("/a.B/C", f"spiffe://m/service/s{number % 5000}", "ACCESS_DENIED", Kind.FORBIDDEN)
        )
    release.set()
    reporter.close()
