"""Producers against a real store, on both engines: what comes twice, late or after a death; slow and full."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy

from garim.sdk import GarimError, Member, Message, Producer, Roster, StoreUnavailableError
from messages_support.direct import DirectStore, Fate
from messages_support.store import NOW_MS, PRODUCER, StoreWorld

MEMBERS = [Member("acct-1", names=["다온"]), Member("acct-2", names=["가람"])]
ROOM = Roster("방-1", MEMBERS)


@pytest.fixture
def world(tmp_path: Path, engine: str) -> Iterator[StoreWorld]:
    made = StoreWorld(tmp_path, more="batches_at_once = 2\nbytes_at_once = 1048576")
    yield made
    made.close()


@pytest.fixture
def store(world: StoreWorld) -> Iterator[DirectStore]:
    made = DirectStore(world)
    yield made
    made.close()


def _texts(world: StoreWorld) -> list[str]:
    return [one.text for one in world.messages(world.custody.ticket(("account", "acct-1")))]


def _life(store: DirectStore, first: int, behind: int, size: int) -> object:
    """Put a stretch of the queue as one process would; return what it knows as durable."""
    producer = Producer(store, stream="q", batch_size=size, batch_ms=60_000, sleep=lambda _: None)
    for number in range(first, behind):
        sent = Message(NOW_MS - 60_000 + number, "acct-1", f"말 {number}")
        producer.put(ROOM, sent, number)
    with contextlib.suppress(GarimError):
        producer.flush()
    with contextlib.suppress(GarimError):
        producer.close()
    return producer.acknowledged()


def _all(count: int) -> list[str]:
    return [f"말 {number}" for number in range(count)]


def test_batches_that_come_twice_late_and_in_another_order_change_nothing(
    world: StoreWorld, store: DirectStore
) -> None:
    assert _life(store, 0, 9, 3) == 8
    for request in reversed(store.seen):
        world.append(request)
    assert _texts(world) == _all(9)
    assert world.count("batches") == 3


@pytest.mark.parametrize("size", [2, 4, 9])
def test_a_client_that_died_amid_a_batch_is_taken_over_without_loss_or_doubles(
    world: StoreWorld, store: DirectStore, size: int
) -> None:
    _life(store, 0, 1, 1)  # the roster is known from here on
    store.fates.extend([Fate.ANSWERED, Fate.DIES_BEHIND])
    assert _life(store, 1, 9, 3) == 3
    world.start()
    assert _life(store, 4, 12, size) == 11
    assert _texts(world) == _all(12)


def test_two_producers_keep_each_conversations_order(world: StoreWorld) -> None:
    rooms = [Roster(f"방-{name}", MEMBERS) for name in ("가", "나")]

    def run(room: Roster) -> None:
        store = DirectStore(world)
        with Producer(store, stream=room.conversation, batch_size=4, sleep=time.sleep) as producer:
            for number in range(40):
                producer.put(
                    room, Message(NOW_MS - 60_000 + number, "acct-2", f"{room.conversation} {number}"), number
                )
        store.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, rooms))
    found = _texts(world)
    for room in rooms:
        own = [text for text in found if text.startswith(room.conversation)]
        assert own == [f"{room.conversation} {number}" for number in range(40)]


@pytest.fixture
def slow(world: StoreWorld, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let every commit of the store's database take a while."""
    commits: list[float] = []

    def wait(_connection: sqlalchemy.Connection) -> None:
        commits.append(time.monotonic())
        time.sleep(0.05)

    engine = world.database._engines.writer
    sqlalchemy.event.listen(engine, "commit", wait)
    return commits


def test_a_slow_database_slows_and_drops_nothing(
    world: StoreWorld, store: DirectStore, slow: list[float]
) -> None:
    with Producer(store, stream="q", batch_size=5, queue_size=10) as producer:
        began = time.monotonic()
        for number in range(40):
            producer.put(ROOM, Message(NOW_MS - 60_000 + number, "acct-1", f"말 {number}"), number)
        # Its queue holds ten: the rest has waited for the database.
        assert time.monotonic() - began > 5 * 0.05
    assert len(slow) >= 8
    assert _texts(world) == _all(40)


def test_a_flood_is_told_to_come_back_and_everything_is_stored_once(
    world: StoreWorld, slow: list[float]
) -> None:
    world.put(ROOM.to_proto())
    most = 0
    lock = threading.Lock()
    capacity = world.store._writer._capacity

    def run(number: int) -> int:
        nonlocal most
        store = DirectStore(world, f"{PRODUCER}-{number}")
        # A store that asks for a second is asked again sooner here.
        with Producer(store, stream="q", batch_size=1, sleep=lambda _: time.sleep(0.02)) as producer:
            for at in range(3):
                producer.put(ROOM, Message(NOW_MS - 60_000, "acct-1", f"{number}/{at}"), at)
                with lock:
                    most = max(most, capacity._held)
        store.close()
        assert set(store.refused) <= {"STORE_BUSY"}
        return len(store.refused)

    with ThreadPoolExecutor(12) as pool:
        refused = sum(pool.map(run, range(12)))
    assert refused > 0
    assert most <= 4
    assert sorted(_texts(world)) == sorted(f"{number}/{at}" for number in range(12) for at in range(3))


def test_a_store_that_stays_full_is_a_clear_error_after_its_time(
    world: StoreWorld, store: DirectStore
) -> None:
    world.put(ROOM.to_proto())
    with contextlib.ExitStack() as held:
        for _ in range(4):
            held.enter_context(_held(world))
        producer = Producer(store, stream="q", batch_size=1, give_up_s=2.5)
        producer.put(ROOM, Message(NOW_MS - 60_000, "acct-1", "말"), 1)
        with pytest.raises(StoreUnavailableError, match="STORE_BUSY") as caught:
            producer.flush()
        assert caught.value.retry_after_s == 1
        with pytest.raises(StoreUnavailableError):
            producer.close()
    # One at once, one a second and some later, which the time ends before a third.
    assert 2 <= len(store.refused) <= 3
    assert producer.acknowledged() is None
    assert _life(store, 1, 2, 1) == 1


@contextlib.contextmanager
def _held(world: StoreWorld) -> Iterator[None]:
    capacity = world.store._writer._capacity
    capacity._held += 1
    try:
        yield
    finally:
        capacity._held -= 1
