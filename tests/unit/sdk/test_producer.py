from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from garim.api.messages.v1 import messages_pb2 as pb
from garim.sdk import (
    Attachment,
    GarimError,
    Member,
    Message,
    Producer,
    QueueFullError,
    Roster,
    StoreRefusedError,
    StoreUnavailableError,
)
from messages_support.fake_store import FakeStore, messages_of

ROOM = Roster("방-1", [Member("a", names=["다온"]), Member("b", names=["가람"])])
OTHER = Roster("방-2", [Member("a"), Member("c")])
AWAY = StoreUnavailableError("GRPC_UNAVAILABLE", "away")


def _text(number: int) -> Message:
    return Message(1_000 + number, "a", f"말 {number}")


def _producer(store: FakeStore, waited: list[float] | None = None, **options: object) -> Producer:
    sleep: Callable[[float], None] = (waited if waited is not None else []).append
    return Producer(store, **({"sleep": sleep, "batch_ms": 5} | options))  # type: ignore[arg-type] # passed on


def test_messages_go_out_in_order_in_batches_of_the_size() -> None:
    store = FakeStore()
    with _producer(store, batch_size=10, batch_ms=60_000) as producer:
        for number in range(35):
            producer.put((ROOM, OTHER)[number % 2], _text(number), position=number)
    assert store.texts("방-1") == [f"말 {number}" for number in range(0, 35, 2)]
    sizes = [sum(len(messages_of(part)) for part in one.conversations) for one in store.batches.values()]
    assert sizes == [10, 10, 10, 5]
    assert producer.acknowledged() == 34


def test_a_small_batch_goes_out_when_its_time_is_over() -> None:
    store = FakeStore()
    with _producer(store, batch_size=100) as producer:
        producer.put(ROOM, _text(1), position="one")
        end = time.monotonic() + 10
        while producer.acknowledged() != "one":
            assert time.monotonic() < end
            time.sleep(0.005)


def test_rosters_are_sent_when_the_store_does_not_know_them_and_only_then() -> None:
    store = FakeStore()
    with _producer(store) as producer:
        for number in range(5):
            producer.put(ROOM, _text(number))
            producer.flush()
        assert store.put_calls == 1
        store.rosters.clear()
        producer.put(ROOM, _text(9))
        producer.flush()
    assert store.put_calls == 2


def test_a_failed_batch_is_sent_again_unchanged_under_its_id() -> None:
    store, waited = FakeStore(), []
    store.failures = [AWAY, AWAY, AWAY]
    with _producer(store, waited) as producer:
        producer.put(ROOM, _text(1))
    assert len(set(store.calls)) == 1
    assert len(store.batches) == 1
    assert len(waited) == 3
    assert waited[0] < waited[2] <= 0.2


def test_a_batch_whose_answer_was_lost_is_stored_once() -> None:
    store = FakeStore()
    store.lost_answers = [AWAY]
    with _producer(store) as producer:
        producer.put(ROOM, _text(1), position=7)
        producer.flush()
        assert producer.acknowledged() == 7
    assert store.texts("방-1") == ["말 1"]


def test_the_delay_that_the_store_asks_for_is_obeyed() -> None:
    store, waited = FakeStore(), []
    store.failures = [StoreUnavailableError("STORE_BUSY", "busy", retry_after_s=3.5)]
    with _producer(store, waited) as producer:
        producer.put(ROOM, _text(1))
    assert len(waited) == 1
    assert 3.5 < waited[0] <= 3.6  # not all who were told the same come back at once


def test_a_refused_batch_ends_the_producer_and_nothing_behind_it_is_acknowledged() -> None:
    store = FakeStore()
    producer = _producer(store, batch_size=1)
    producer.put(ROOM, _text(1), position=1)
    producer.flush()
    store.failures = [StoreRefusedError("MESSAGE_TIME", "no")]
    producer.put(ROOM, _text(2), position=2)
    with pytest.raises(StoreRefusedError, match="MESSAGE_TIME"):
        producer.flush()
    with pytest.raises(StoreRefusedError, match="MESSAGE_TIME"):
        producer.put(ROOM, _text(3))
    with pytest.raises(StoreRefusedError, match="MESSAGE_TIME"):
        producer.close()
    assert producer.acknowledged() == 1
    assert len(store.batches) == 1


def test_a_batch_that_cannot_be_delivered_is_given_up_after_its_time() -> None:
    store = FakeStore()
    store.failures = [AWAY] * 1_000
    now = iter(range(0, 10_000, 10))
    producer = Producer(store, batch_size=1, give_up_s=100, sleep=lambda _: None, clock=lambda: next(now))
    producer.put(ROOM, _text(1))
    with pytest.raises(StoreUnavailableError, match="GRPC_UNAVAILABLE"):
        producer.flush()
    with pytest.raises(StoreUnavailableError):
        producer.close()


def test_a_full_queue_raises_or_waits_as_chosen() -> None:
    store = FakeStore()
    store.gate.clear()
    raising = _producer(store, batch_size=2, queue_size=4, when_full="raise")
    for number in range(4):
        raising.put(ROOM, _text(number))
    with pytest.raises(QueueFullError):
        raising.put(ROOM, _text(5))
    store.gate.set()
    raising.close()
    assert len(store.texts("방-1")) == 4

    store.gate.clear()
    waiting = _producer(store, batch_size=2, queue_size=2)
    done = threading.Event()

    def put_three() -> None:
        for number in range(3):
            waiting.put(OTHER, _text(number))
        done.set()

    thread = threading.Thread(target=put_three)
    thread.start()
    assert not done.wait(0.05)
    store.gate.set()
    assert done.wait(10)
    thread.join()
    waiting.close()
    assert store.texts("방-2") == ["말 0", "말 1", "말 2"]


def test_a_flush_that_takes_too_long_says_so() -> None:
    store = FakeStore()
    store.gate.clear()
    producer = _producer(store)
    producer.put(ROOM, _text(1))
    with pytest.raises(StoreUnavailableError, match="FLUSH_TIMEOUT"):
        producer.flush(0.02)
    store.gate.set()
    producer.close()


def test_a_change_of_roster_begins_a_new_part_and_keeps_the_order() -> None:
    store = FakeStore()
    grown = Roster("방-1", [*ROOM.members, Member("d")])
    with _producer(store, batch_size=100, batch_ms=60_000) as producer:
        for roster, number in ((ROOM, 1), (grown, 2), (grown, 3), (ROOM, 4)):
            producer.put(roster, _text(number))
    (batch,) = store.batches.values()
    assert [one.roster_digest for one in batch.conversations] == [ROOM.digest, grown.digest, ROOM.digest]
    assert store.texts("방-1") == ["말 1", "말 2", "말 3", "말 4"]


def test_a_secret_chats_block_is_a_part_of_its_own() -> None:
    store = FakeStore()
    with _producer(store, batch_size=100, batch_ms=60_000) as producer:
        producer.put(ROOM, _text(1))
        producer.put(ROOM, Message(5, opaque=b"block"))
    (batch,) = store.batches.values()
    assert [one.kind for one in batch.conversations] == [pb.SEGMENT_KIND_MESSAGES, pb.SEGMENT_KIND_OPAQUE]
    assert messages_of(batch.conversations[1])[0] == pb.ChatMessage(sent_at_ms=5, opaque=b"block")


def test_an_attachment_is_described_without_its_content() -> None:
    block = pb.MessageBlock()
    Message(5, "a", kind="photo", attachment=Attachment("image/png", 17, bytes(32))).add_to(block)
    (made,) = block.messages
    assert made.kind == pb.MESSAGE_KIND_PHOTO
    assert (made.attachment.media_type, made.attachment.size) == ("image/png", 17)


@pytest.mark.parametrize(
    ("members", "reason"), [([], "ROSTER_EMPTY"), ([Member("a"), Member("a")], "ROSTER_MEMBER")]
)
def test_a_roster_that_cannot_be_is_refused_where_it_is_put(members: list[Member], reason: str) -> None:
    with _producer(FakeStore()) as producer, pytest.raises(StoreRefusedError, match=reason):
        producer.put(Roster("방", members), _text(1))


def test_after_closing_nothing_is_taken() -> None:
    producer = _producer(FakeStore())
    producer.close()
    with pytest.raises(ValueError, match="closed"):
        producer.put(ROOM, _text(1))
    producer.close()


def test_a_block_that_fails_does_not_wait_for_a_store_that_is_away() -> None:
    store = FakeStore()
    store.failures = [AWAY] * 10_000

    def fail() -> None:
        with Producer(store) as producer:
            producer.put(ROOM, _text(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="batch_size"):
        Producer(FakeStore(), batch_size=5_001)
    with pytest.raises(ValueError, match="batch_size"):
        Producer(FakeStore(), batch_size=10, queue_size=9)


def _life(store: FakeStore, first: int, count: int, **named: Any) -> int:
    """Put messages from a position on, as a process that then dies; return what it knows as durable."""
    producer = Producer(store, stream="queue-1", batch_ms=60_000, sleep=lambda _: None, **named)
    for number in range(first, first + count):
        producer.put(ROOM, _text(number), position=number)
    with contextlib.suppress(GarimError):
        producer.flush()
    with contextlib.suppress(GarimError):
        producer.close()
    known = producer.acknowledged()
    assert known is None or isinstance(known, int)
    return first - 1 if known is None else known


@pytest.mark.parametrize(("before", "after"), [(3, 3), (3, 8), (8, 3)])
def test_a_producer_started_again_stores_nothing_twice_and_loses_nothing(before: int, after: int) -> None:
    store = FakeStore()
    store.lost_answers = [StoreRefusedError("DIED", "the process died before the answer")]
    assert _life(store, 0, before, batch_size=before) == -1
    assert len(store.batches) == 1
    assert _life(store, 0, 10, batch_size=after) == 9
    assert store.texts("방-1") == [f"말 {number}" for number in range(10)]


def test_it_goes_on_behind_what_was_acknowledged() -> None:
    store = FakeStore()
    assert _life(store, 0, 4, batch_size=2) == 3
    store.lost_answers = [StoreRefusedError("DIED", "the process died before the answer")]
    assert _life(store, 4, 3, batch_size=3) == 3
    assert _life(store, 4, 6, batch_size=5) == 9
    assert store.texts("방-1") == [f"말 {number}" for number in range(10)]


def test_other_messages_from_a_stored_position_on_are_refused() -> None:
    store = FakeStore()
    assert _life(store, 0, 3, batch_size=3) == 2
    producer = Producer(store, stream="queue-1", batch_size=3)
    for number in range(3):
        producer.put(ROOM, _text(number + 50), position=number)
    with pytest.raises(StoreRefusedError, match="BATCH_CHANGED"):
        producer.flush()
    with pytest.raises(StoreRefusedError):
        producer.close()
    assert len(store.batches) == 1


def test_fewer_messages_than_were_stored_are_not_flushed() -> None:
    store = FakeStore()
    assert _life(store, 0, 6, batch_size=6) == 5
    producer = Producer(store, stream="queue-1", batch_size=3, batch_ms=60_000)
    for number in range(3):
        producer.put(ROOM, _text(number), position=number)
    with pytest.raises(StoreRefusedError, match="BATCH_CHANGED"):
        producer.flush()
    with pytest.raises(StoreRefusedError):
        producer.close()


def test_two_streams_of_one_back_end_do_not_meet() -> None:
    store = FakeStore()
    for stream in ("queue-1", "queue-2"):
        with Producer(store, stream=stream, batch_size=2) as producer:
            for number in range(2):
                producer.put(ROOM, _text(number), position=number)
    assert len(store.batches) == 2


def test_a_position_that_cannot_be_repeated_is_refused_in_a_named_stream() -> None:
    with Producer(FakeStore(), stream="queue-1") as producer, pytest.raises(TypeError):
        producer.put(ROOM, _text(1), position=object())


def test_the_next_batch_is_cut_while_one_is_under_way() -> None:
    store = FakeStore()
    store.gate.clear()
    with Producer(store, batch_size=2, batch_ms=60_000) as producer:
        for number in range(4):
            producer.put(ROOM, _text(number), position=number)
        until = time.monotonic() + 10
        while producer._ahead is None:
            assert time.monotonic() < until
            time.sleep(0.005)
        assert producer.acknowledged() is None
        store.gate.set()
    assert producer.acknowledged() == 3
    assert store.texts("방-1") == [f"말 {number}" for number in range(4)]
