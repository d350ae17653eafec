"""Nothing received after a document's issue can be covered: messages are appended during every stream."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from garim.api.messages.v1 import messages_pb2 as pb
from garim.api.messages.v1.messages_pb2_grpc import MessageStoreServiceStub
from garim.kit.convert import envelope_to
from garim.sdk import Member, Message, Producer, Roster
from garim.sealing.segment import SegmentHeader
from garim.statements.refusal import RefusedError
from messages_support.served import ServedStore

ROOM = Roster("방-1", [Member("acct-00001", names=["다온"]), Member("acct-00002", names=["가람"])])
SUBJECT = ("account", "acct-00001")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedStore]:
    store = ServedStore(tmp_path_factory.mktemp("store"))
    yield store
    store.close()


@pytest.fixture(scope="module")
def stub(served: ServedStore) -> MessageStoreServiceStub:
    with served.backend() as store, Producer(store, batch_size=20) as producer:
        for number in range(2_000):
            producer.put(ROOM, Message(served.clock.now_ms() - 5_000, "acct-00001", f"전 {number}"))
    return served.stub(served.authority.service("redaction"))


class Appending:
    """Appends all the time, also messages that claim to have been sent long ago."""

    def __init__(self, served: ServedStore) -> None:
        self._served = served
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.stored = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with self._served.backend("late") as store, Producer(store, batch_size=5) as producer:
            while not self._stop.wait(0.005):
                producer.put(ROOM, Message(self._served.clock.now_ms() - 5_000, "acct-00001", "뒤에"))
                producer.flush()
                self.stored += 1


@pytest.mark.parametrize("which", [pb.READ_PASS_ROSTERS, pb.READ_PASS_SEGMENTS])
def test_nothing_appended_during_a_stream_arrives(
    served: ServedStore, stub: MessageStoreServiceStub, which: int
) -> None:
    ticket = served.custody.ticket(SUBJECT)
    issued = served.clock.now_ms()
    request = pb.ReadSegmentsRequest(ticket=envelope_to(ticket), **{"pass": which})  # type: ignore[arg-type] # a keyword as field name
    with Appending(served) as appending:
        headers = []
        for item in stub.ReadSegments(request):
            if item.HasField("segment"):
                headers.append(SegmentHeader.decode(item.segment.header))
            elif item.HasField("roster"):
                headers.append(SegmentHeader.decode(item.roster.header))
            appending._stop.wait(0.002)
    assert headers
    assert all(header.received_last <= issued for header in headers)
    if which == pb.READ_PASS_SEGMENTS:
        assert appending.stored > 0


def test_a_stream_ends_by_itself_while_messages_keep_coming(
    served: ServedStore, stub: MessageStoreServiceStub
) -> None:
    ticket = envelope_to(served.custody.ticket(SUBJECT))
    request = pb.ReadSegmentsRequest(ticket=ticket, **{"pass": pb.READ_PASS_SEGMENTS})  # type: ignore[arg-type] # a keyword as field name
    with Appending(served):
        assert sum(1 for _ in stub.ReadSegments(request, timeout=30)) > 100


def test_a_ticket_into_the_future_is_refused_even_with_custodys_key(
    served: ServedStore, stub: MessageStoreServiceStub
) -> None:
    for purpose in ("read", "preserve"):
        ticket = served.custody.ticket(
            SUBJECT, purpose=purpose, received_until=served.clock.now_ms() + 3_600_000
        )
        request = pb.ReadSegmentsRequest(ticket=envelope_to(ticket), **{"pass": pb.READ_PASS_SEGMENTS})  # type: ignore[arg-type] # a keyword as field name
        with pytest.raises(RefusedError, match="TICKET_TIME"):
            list(stub.ReadSegments(request))


def test_what_was_received_after_the_issue_is_covered_by_no_later_read(
    served: ServedStore, stub: MessageStoreServiceStub, tmp_path: Path
) -> None:
    issued = served.clock.now_ms()
    threading.Event().wait(0.01)
    with served.backend("later") as store, Producer(store) as producer:
        producer.put(ROOM, Message(issued - 5_000, "acct-00001", "늦게 온 말"))
    ticket = served.custody.ticket(SUBJECT, received_until=issued)
    assert "늦게 온 말" not in {one.text for one in served.read(ticket)}
    assert "늦게 온 말" in {one.text for one in served.read(served.custody.ticket(SUBJECT))}
