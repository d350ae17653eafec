from __future__ import annotations

import io

from garim.kit.health import FRESH_MS, Health
from garim.kit.telemetry import Telemetry
from garim.testing.clock import ManualClock


def test_health_says_no_before_the_start_while_draining_and_while_a_check_fails() -> None:
    clock = ManualClock()
    log = io.StringIO()
    health = Health(Telemetry("custody", clock, stream=log, strict=True), clock)
    broken: list[bool] = []

    def check() -> None:
        if broken:
            raise KeyError("김가림")

    health.register("database", check)
    assert not health.serving()
    health.set_started()
    assert health.serving()
    broken.append(True)
    clock.advance(FRESH_MS)
    assert not health.serving()
    clock.advance(FRESH_MS)
    assert not health.serving()
    assert log.getvalue().count('"not_ready"') == 1
    assert "KeyError" in log.getvalue()
    broken.clear()
    clock.advance(FRESH_MS)
    assert health.serving()
    health.set_draining()
    assert not health.serving()


def test_asking_often_does_not_run_the_checks_often() -> None:
    clock = ManualClock()
    health = Health(Telemetry("custody", clock, stream=io.StringIO(), strict=True), clock)
    runs: list[None] = []
    health.register("database", lambda: runs.append(None))
    health.set_started()
    for _ in range(1_000):
        assert health.serving()
    assert len(runs) == 1
