from __future__ import annotations

import pytest

from garim.kit.deadlines import (
    REPORT_MARGIN_MS,
    Deadline,
    current_deadline,
    outgoing_timeout_s,
    served_deadline,
    within,
)
from garim.statements.refusal import RefusedError
from garim.testing.clock import ManualClock


def test_the_shorter_of_caller_and_rpc_holds() -> None:
    clock = ManualClock()
    assert served_deadline(clock, 10, None).remaining_ms() == 10_000
    assert served_deadline(clock, 10, 3.5).remaining_ms() == 3_500
    assert served_deadline(clock, 10, 1e12).remaining_ms() == 10_000


@pytest.mark.parametrize("left_s", [0.0, -1.0, 0.01])
def test_a_call_that_cannot_end_in_time_is_not_begun(left_s: float) -> None:
    with pytest.raises(RefusedError, match="DEADLINE_TOO_SHORT"):
        served_deadline(ManualClock(), 10, left_s)


def test_calls_to_peers_get_what_remains_less_time_to_report() -> None:
    clock = ManualClock()
    assert current_deadline() is None
    assert outgoing_timeout_s(5) == 5
    with within(Deadline(2_000, clock)):
        assert outgoing_timeout_s(5) == (2_000 - REPORT_MARGIN_MS) / 1000
        assert outgoing_timeout_s(5, 0.5) == 0.5
        clock.advance(1_500)
        assert outgoing_timeout_s(5) == (500 - REPORT_MARGIN_MS) / 1000
        clock.advance(400)
        with pytest.raises(RefusedError, match="DEADLINE_TOO_SHORT"):
            outgoing_timeout_s(5)
    assert current_deadline() is None


def test_a_wall_clock_that_jumps_moves_no_deadline() -> None:
    clock = ManualClock()
    deadline = served_deadline(clock, 10, None)
    clock.jump_wall(-3_600_000)
    clock.jump_wall(+7_200_000)
    assert deadline.remaining_ms() == 10_000


def test_work_stops_once_the_time_is_over() -> None:
    clock = ManualClock()
    deadline = served_deadline(clock, 1, None)
    deadline.check()
    clock.advance(1_000)
    with pytest.raises(RefusedError, match="DEADLINE_EXCEEDED"):
        deadline.check()
