"""Calls that come while one is under way are done together by the next: one commit for many."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

Perform = Callable[[Sequence[Q]], Sequence[A | Exception]]
"""Does several calls at once: an answer or a refusal for each, or raises what becomes of all of them."""


class _Call(Generic[Q, A]):
    """A call, and what became of it; its caller is woken when it is done, or to do the next group."""

    def __init__(self, question: Q) -> None:
        self.question = question
        self.outcome: A | BaseException | None = None
        self.woken = threading.Event()


class Grouped(Generic[Q, A]):
    """A function whose concurrent calls are done together.

    There is no timer: a call that comes alone is done at once and alone.

    Args:
        perform: Does a group.
        most: Largest group.
    """

    def __init__(self, perform: Perform[Q, A], most: int) -> None:
        self._perform = perform
        self._most = most
        self._lock = threading.Lock()
        self._busy = False
        self._waiting: list[_Call[Q, A]] = []

    def __call__(self, question: Q) -> A:
        """Do one call, with those that wait beside it; returns when it is done.

        Args:
            question: What is asked.
        """
        own = _Call[Q, A](question)
        with self._lock:
            self._waiting.append(own)
            leads, self._busy = not self._busy, True
        if not leads:
            own.woken.wait()
        if own.outcome is None:
            self._lead()
        if isinstance(own.outcome, BaseException):
            raise own.outcome
        assert own.outcome is not None  # noqa: S101 - whoever leads is in the group
        return own.outcome

    def _lead(self) -> None:
        """Do the group at the front, then hand on to whoever has come meanwhile."""
        with self._lock:
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        outcomes: Sequence[A | BaseException]
        try:
            outcomes = self._perform([one.question for one in group])
        except BaseException as error:  # noqa: BLE001 - raised again by each of the callers
            outcomes = [error] * len(group)
        for one, outcome in zip(group, outcomes, strict=True):
            one.outcome = outcome
            one.woken.set()
        with self._lock:
            following = self._waiting[0] if self._waiting else None
            self._busy = following is not None
        if following is not None:
            following.woken.set()
