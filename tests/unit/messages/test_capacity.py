"""What the store takes at once is bounded in batches and in bytes; who is beyond is told to come back."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest

from garim.messages.capacity import Capacity
from garim.statements.refusal import RefusedError


def test_bytes_are_bounded_however_few_the_batches() -> None:
    capacity = Capacity(batches=8, waiting=8, max_bytes=100)
    with capacity.hold(60):
        with pytest.raises(RefusedError, match="STORE_BUSY"), capacity.hold(41):
            pass
        with capacity.hold(40):
            pass


def test_one_request_alone_is_taken_whatever_its_size() -> None:
    capacity = Capacity(batches=8, waiting=8, max_bytes=100)
    with capacity.hold(1_000), pytest.raises(RefusedError, match="STORE_BUSY"), capacity.hold(1):
        pass
    with capacity.hold(1_000):
        pass


def test_a_few_wait_in_line_and_the_rest_is_refused_at_once() -> None:
    capacity = Capacity(batches=1, waiting=1, max_bytes=100)
    waiting, done = threading.Event(), threading.Event()

    def wait() -> None:
        waiting.set()
        with capacity.hold(1):
            done.set()

    with ExitStack() as held:
        held.enter_context(capacity.hold(1))
        thread = threading.Thread(target=wait)
        thread.start()
        waiting.wait()
        held.close()
        thread.join()
    assert done.is_set()


def test_a_place_is_free_again_after_whatever_happened() -> None:
    capacity = Capacity(batches=1, waiting=0, max_bytes=10)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), capacity.hold(10):
            raise ZeroDivisionError
    with capacity.hold(10):
        pass
