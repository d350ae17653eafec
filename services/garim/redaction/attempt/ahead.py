"""Read ahead: the next items are fetched while the last are worked on."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None


def ahead(items: Iterator[T], count: int) -> Iterator[T]:
    """Yield items that a thread fetches, at most `count` of them before they are wanted.

    Args:
        items: Fetched in a thread of their own; what they raise is raised here.
        count: How many may wait.
    """
    ready: queue.Queue[T | _End] = queue.Queue(count)
    stop = threading.Event()

    def put(item: T | _End) -> None:
        while not stop.is_set():
            with contextlib.suppress(queue.Full):
                ready.put(item, timeout=_LOOK_S)
                return

    def fetch() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                put(item)
                if stop.is_set():
                    return
        except BaseException as raised:  # noqa: BLE001 - raised again where the items are wanted
            error = raised
        put(_End(error))

    threading.Thread(target=fetch, name="ahead", daemon=True).start()
    try:
        while not isinstance(item := ready.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stop.set()
