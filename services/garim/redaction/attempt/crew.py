"""An attempt's workers: processes forked before it reads or connects, each with its end of a pipe.

A task goes to whichever worker is idle. What workers ask while they work is answered in the order of the
tasks all the same, so that the one table and the one count know an order, and results come in it too. No more
tasks are out, or done and waiting, than `window`, however many there are.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Self

from garim.statements.refusal import Kind, RefusedError

Ask = Callable[[Any], Any]
"""Asks the attempt something in the midst of a task."""
Perform = Callable[[Any, Ask], Any]
"""Does a task; what it raises ends the attempt."""

_ASKED, _DONE, _REFUSED, _DIED = range(4)


class Crew:
    """Workers of one attempt.

    Args:
        performers: What each worker does with a task; called in the worker alone.
    """

    def __init__(self, performers: Iterable[Perform]) -> None:
        # Forked, not started anew: they have the attempt's key and spools, and share its memory of code.
        context = multiprocessing.get_context("fork")
        self._ends: list[Connection] = []
        self._processes = []
        for perform in performers:
            ours, theirs = context.Pipe()
            self._ends.append(ours)
            process = context.Process(target=_work, args=(theirs, perform, self._ends), daemon=True)
            process.start()
            theirs.close()
            self._processes.append(process)
        self.window = 2 * len(self._ends)

    def tell(self, task: object) -> None:
        """Have every worker do a task, and wait until all have."""
        for end in self._ends:
            end.send(task)
        for end in self._ends:
            _result(_received(end))

    def run(self, tasks: Iterable[Any], answer: Callable[[Any], Any] | None = None) -> Iterator[Any]:
        """Have tasks done and yield their results in order.

        Args:
            tasks: Taken one by one, when there is a worker for it.
            answer: Answers what workers ask, in the order of the tasks.

        Raises:
            RefusedError: Whatever a worker refused; `ATTEMPT_DIED` where one is gone.
        """
        waiting = enumerate(tasks)
        idle, busy = list(self._ends), dict[Connection, int]()
        asked: dict[int, tuple[Connection, Any]] = {}
        done: dict[int, Any] = {}
        next_asked = next_done = 0
        more = True
        while more or busy:
            while more and idle and len(busy) + len(done) < self.window:
                number, task = next(waiting, (-1, None))
                more = number >= 0
                if more:
                    busy[end := idle.pop()] = number
                    end.send(task)
            ready = wait(list(busy)) if busy else ()
            for end in [one for one in busy if one in ready]:
                kind, value = _received(end)
                if kind == _ASKED:
                    asked[busy[end]] = (end, value)
                else:
                    done[busy.pop(end)] = _result((kind, value))
                    idle.append(end)
            # A worker that finished without asking has nothing to be answered.
            while next_asked in asked or next_asked in done or next_asked < next_done:
                if next_asked in asked and answer is not None:
                    end, value = asked.pop(next_asked)
                    end.send(answer(value))
                next_asked += 1
            while next_done in done:
                yield done.pop(next_done)
                next_done += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for end in self._ends:
            end.close()
        for process in self._processes:
            process.kill()
            process.join()


def _received(end: Connection) -> tuple[int, Any]:
    try:
        kind, value = end.recv()
    except (EOFError, OSError):
        raise _died("a worker ended early") from None
    return kind, value


def _result(received: tuple[int, Any]) -> object:
    kind, value = received
    if kind == _REFUSED:
        reason, message, sort, field = value
        raise RefusedError(reason, message, kind=Kind(sort), field=field)
    if kind == _DIED:
        raise _died(f"a worker met an error of its own ({value})")
    return value


def _died(what: str) -> RefusedError:
    return RefusedError("ATTEMPT_DIED", f"{what}: build again", kind=Kind.UNAVAILABLE)


def _work(end: Connection, perform: Perform, others: list[Connection]) -> None:
    """Do tasks until the attempt closes its end or is gone."""
    for other in others:
        other.close()
    # Standard input and output are the attempt's: whoever reads there must see when it ends.
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)

    # What was made before the fork is never garbage: looking for some would copy all of it.
    gc.collect()
    gc.freeze()

    def ask(question: object) -> object:
        end.send((_ASKED, question))
        return end.recv()

    while True:
        try:
            task = end.recv()
        except (EOFError, OSError):
            return
        try:
            said: tuple[int, Any] = (_DONE, perform(task, ask))
        except RefusedError as refusal:
            refused = (refusal.reason, refusal.message, refusal.kind.value, refusal.field)
            said = (_REFUSED, refused)
        except Exception as error:  # noqa: BLE001 - its text and traceback may hold a message's: only its type leaves
            said = (_DIED, type(error).__name__)
        # A task's cycles may hold whole pages: they must not wait until there are many.
        gc.collect(1)
        try:
            end.send(said)
        except OSError:
            return
