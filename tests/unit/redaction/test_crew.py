"""Workers share an attempt's tasks; order is kept, memory is bounded, and no failure passes for success."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from typing import Any

import pytest

from garim.redaction.attempt.ahead import ahead
from garim.redaction.attempt.crew import Ask, Crew
from garim.statements.refusal import Kind, RefusedError


def slower_at_first(task: int, _: Ask) -> int:
    time.sleep(0.02 if task % 2 == 0 else 0)
    return task * 10


def asking(task: int, ask: Ask) -> tuple[int, Any]:
    time.sleep(0.02 if task % 2 == 0 else 0)
    return task, ask(task)


def refusing(task: int, _: Ask) -> int:
    if task == 2:
        raise RefusedError("SOME_REASON", "why", kind=Kind.DATA_LOSS, field="here")
    return task


def failing(_task: int, _: Ask) -> int:
    raise ValueError("a message's own words")


def dying(_task: int, _: Ask) -> int:
    os._exit(3)


def test_results_come_in_the_order_of_the_tasks() -> None:
    with Crew([slower_at_first] * 2) as crew:
        assert list(crew.run(range(12))) == [task * 10 for task in range(12)]


def test_what_workers_ask_is_answered_in_the_order_of_the_tasks() -> None:
    asked: list[int] = []

    def answer(question: int) -> int:
        asked.append(question)
        return len(asked)

    with Crew([asking] * 3) as crew:
        assert list(crew.run(range(9), answer)) == [(task, task + 1) for task in range(9)]
    assert asked == list(range(9))


def test_no_more_than_a_window_of_tasks_is_held_however_many_there_are() -> None:
    alive = most = 0

    def tasks() -> Iterator[int]:
        nonlocal alive, most
        for task in range(200):
            alive += 1
            most = max(most, alive)
            yield task

    with Crew([slower_at_first] * 2) as crew:
        for _ in crew.run(tasks()):
            alive -= 1
        assert most <= crew.window + 1


def test_reading_ahead_never_goes_further_than_it_may() -> None:
    fetched = taken = most = 0

    def items() -> Iterator[int]:
        nonlocal fetched, most
        for item in range(30):
            fetched += 1
            most = max(most, fetched - taken)
            yield item

    for _ in ahead(items(), 2):
        time.sleep(0.002)
        taken += 1
    assert most <= 2 + 2


def test_what_reading_ahead_meets_is_raised_where_it_is_wanted() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise RefusedError("SOME_REASON", "why")

    read = ahead(items(), 2)
    assert next(read) == 1
    with pytest.raises(RefusedError, match="SOME_REASON"):
        next(read)


def test_a_refusal_in_a_worker_is_the_attempts() -> None:
    with Crew([refusing] * 2) as crew, pytest.raises(RefusedError) as refused:
        list(crew.run(range(5)))
    assert (refused.value.reason, refused.value.kind, refused.value.field) == (
        "SOME_REASON",
        Kind.DATA_LOSS,
        "here",
    )


@pytest.mark.parametrize("work", [failing, dying])
def test_a_worker_that_fails_or_is_gone_ends_the_attempt_without_its_words(work: Any) -> None:
    with Crew([work] * 2) as crew, pytest.raises(RefusedError, match="ATTEMPT_DIED") as refused:
        list(crew.run(range(5)))
    assert "words" not in str(refused.value)


def leaving_cycles(_task: int, _: Ask) -> int:
    cycle: list[object] = [bytearray(b"x") * (1 << 20)]
    cycle.append(cycle)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_what_a_task_leaves_behind_does_not_gather() -> None:
    with Crew([leaving_cycles]) as crew:
        kib = list(crew.run(range(60)))
    assert kib[-1] - kib[0] < 20_000


def test_no_worker_outlives_its_crew() -> None:
    with Crew([slower_at_first] * 2) as crew:
        processes = list(crew._processes)
    assert not any(one.is_alive() for one in processes)
