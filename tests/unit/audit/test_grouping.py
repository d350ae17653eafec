"""Calls that come together are done together; each gets its own answer, and none waits for a timer."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from garim.audit.grouping import Grouped


class Slow:
    """Takes a while for each group, like a disk."""

    def __init__(self) -> None:
        self.groups: list[int] = []

    def __call__(self, questions: Sequence[int]) -> list[int | Exception]:
        self.groups.append(len(questions))
        time.sleep(0.02)
        return [ValueError(str(one)) if one % 10 == 3 else one * 2 for one in questions]


def asked(function: Grouped[int, int], question: int) -> int | str:
    try:
        return function(question)
    except ValueError as refusal:
        return f"refused {refusal}"


def test_each_caller_gets_what_became_of_its_own_call() -> None:
    function = Grouped[int, int](Slow(), 5)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda one: asked(function, one), range(16)))
    assert answers == [f"refused {one}" if one % 10 == 3 else one * 2 for one in range(16)]


def test_calls_that_come_meanwhile_are_one_group_and_no_group_is_too_large() -> None:
    slow = Slow()
    function = Grouped[int, int](slow, 5)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda one: asked(function, one), range(64)))
    assert sum(slow.groups) == 64
    assert max(slow.groups) == 5
    assert len(slow.groups) < 32


def test_a_failure_of_the_whole_group_reaches_everybody_and_the_next_goes_on() -> None:
    broken = threading.Event()
    broken.set()

    def perform(questions: Sequence[int]) -> list[int | Exception]:
        if broken.is_set():
            raise OSError("the disk is full")
        return list(questions)

    function = Grouped[int, int](perform, 8)
    with ThreadPoolExecutor(4) as pool:
        for failed in [pool.submit(function, one) for one in range(4)]:
            with pytest.raises(OSError, match="full"):
                failed.result()
    broken.clear()
    assert function(7) == 7


def test_a_call_that_comes_alone_is_done_at_once() -> None:
    slow = Slow()
    function = Grouped[int, int](slow, 5)
    assert [function(one) for one in (1, 2)] == [2, 4]
    assert slow.groups == [1, 1]
