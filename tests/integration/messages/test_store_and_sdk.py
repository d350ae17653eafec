from __future__ import annotations

import random
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import garim.sdk
from garim.api.messages.v1 import messages_pb2 as pb
from garim.kit.convert import envelope_from, envelope_to
from garim.sdk import (
    GarimError,
    GarimStore,
    Member,
    Message,
    Producer,
    Roster,
    StoreRefusedError,
    TlsPaths,
)
from garim.statements.refusal import RefusedError
from garim.statements.scope import Forecast
from messages_support.served import ServedStore, until
from messages_support.store import MESH

MEMBERS = [
    Member(f"acct-{number:05d}", names=[f"다온{number}"], phones=[f"+8210000{number:05d}"])
    for number in range(5)
]
SUBJECT = ("phone", "+821000000001")


def _rooms(count: int) -> list[Roster]:
    return [Roster(f"방-{number}", MEMBERS, "산책 모임") for number in range(count)]


def _message(served: ServedStore, number: int) -> Message:
    return Message(served.clock.now_ms() - 1_000, MEMBERS[number % 5].account, f"저녁에 봐요 {number}")


def test_from_the_sdk_to_the_reader(served: ServedStore) -> None:
    rooms = _rooms(7)
    with served.backend() as store, Producer(store, batch_size=50) as producer:
        for number in range(400):
            producer.put(rooms[number % 7], _message(served, number), position=number)
        producer.flush()
        assert producer.acknowledged() == 399
    found = served.read(served.custody.ticket(SUBJECT))
    assert sorted(one.text for one in found) == sorted(f"저녁에 봐요 {number}" for number in range(400))
    by_room: dict[int, list[int]] = {}
    for one in found:
        number = int(one.text.split()[-1])
        by_room.setdefault(number % 7, []).append(number)
    assert all(numbers == sorted(numbers) for numbers in by_room.values())


def test_a_roster_change_in_the_middle_of_a_batch(served: ServedStore) -> None:
    before, after = Roster("방-1", MEMBERS[:2]), Roster("방-1", MEMBERS[:3])
    with served.backend() as store, Producer(store) as producer:
        producer.put(before, _message(served, 0))
        producer.put(after, _message(served, 2))
        producer.put(before, _message(served, 1))
    found = served.read(served.custody.ticket(("account", "acct-00002")))
    assert [one.text for one in found] == ["저녁에 봐요 2"]
    assert len(served.read(served.custody.ticket(SUBJECT))) == 3


def test_a_sender_outside_the_roster_stops_the_producer_for_good(served: ServedStore) -> None:
    room = Roster("방-1", MEMBERS[:2])
    with served.backend() as store:
        producer = Producer(store, batch_size=1)
        producer.put(room, _message(served, 0), position="a")
        producer.flush()
        producer.put(room, _message(served, 4), position="b")
        with pytest.raises(StoreRefusedError, match="MESSAGE_SENDER") as refusal:
            producer.flush()
        assert refusal.value.field == "conversations[0]"
        with pytest.raises(StoreRefusedError, match="MESSAGE_SENDER"):
            producer.put(room, _message(served, 0))
        assert producer.acknowledged() == "a"
        with pytest.raises(StoreRefusedError):
            producer.close()


def test_the_forecast_over_the_wire(served: ServedStore) -> None:
    with served.backend() as store, Producer(store) as producer:
        producer.put(Roster("방-1", MEMBERS), _message(served, 0))
    ticket = served.custody.ticket(SUBJECT, purpose="forecast")
    stub = served.stub(served.authority.service("warrants"))
    answer = stub.ForecastScope(pb.ForecastScopeRequest(ticket=envelope_to(ticket)))
    keys = served.governance.current().keys_of("messages")
    forecast = Forecast.verify(envelope_from(answer.forecast), keys, mesh=MESH, now=None)
    assert (forecast.messages, forecast.conversations, forecast.bystanders) == (1, 1, 5)
    assert any(b'"forecast"' in leaf for leaf in served.audit.leaves)


@pytest.mark.parametrize("caller", ["service/redaction", "service/warrants", "person/custodian/ga-on"])
def test_only_back_ends_store(served: ServedStore, caller: str) -> None:
    stub = served.stub(served.authority.issue(caller))
    with pytest.raises(RefusedError, match="ACCESS_DENIED"):
        stub.AppendMessages(pb.AppendMessagesRequest())
    with pytest.raises(RefusedError, match="ACCESS_DENIED"):
        stub.PutRosters(pb.PutRostersRequest())


def test_a_back_end_reads_and_counts_nothing(served: ServedStore) -> None:
    stub = served.stub(served.authority.issue("backend/chat-1"))
    ticket = envelope_to(served.custody.ticket(SUBJECT))
    with pytest.raises(RefusedError, match="ACCESS_DENIED"):
        list(stub.ReadSegments(pb.ReadSegmentsRequest(ticket=ticket)))
    with pytest.raises(RefusedError, match="ACCESS_DENIED"):
        stub.ForecastScope(pb.ForecastScopeRequest(ticket=ticket))


def test_the_sdk_refuses_a_server_that_is_not_the_message_store(served: ServedStore) -> None:
    files = served.authority.issue("backend/chat-1")
    tls = TlsPaths(files.certificate, files.key, files.trust)
    address = f"127.0.0.1:{served._servers['custody'].port}"
    with (
        GarimStore(address, mesh=MESH, tls=tls, timeout_s=3) as store,
        pytest.raises(GarimError, match="GRPC_"),
    ):
        store.put_rosters(_rooms(1))


def test_the_sdk_takes_up_renewed_files_and_keeps_to_the_former_ones_otherwise(
    served: ServedStore, tmp_path: Path
) -> None:
    certificate, key, trust = (tmp_path / name for name in ("own.pem", "own.key", "own-ca.pem"))

    def put_in_place(path: str) -> None:
        files = served.authority.issue(path)
        for source, target in ((files.certificate, certificate), (files.key, key), (files.trust, trust)):
            shutil.copy(source, target)

    put_in_place("backend/chat-1")
    address = f"127.0.0.1:{served.port}"
    with GarimStore(address, mesh=MESH, tls=TlsPaths(certificate, key, trust), timeout_s=3) as store:
        store.put_rosters(_rooms(1))
        put_in_place("service/redaction")
        with pytest.raises(StoreRefusedError, match="ACCESS_DENIED"):
            store.put_rosters(_rooms(1))
        put_in_place("backend/chat-2")
        store.put_rosters(_rooms(1))
        key.chmod(0o644)
        store.put_rosters(_rooms(1))


def test_killed_in_the_middle_of_appending_nothing_acknowledged_is_lost_and_nothing_doubled(
    served: ServedStore,
) -> None:
    total, kills = 1_500, random.Random(7)
    rooms = _rooms(5)
    stop = threading.Event()

    def kill_now_and_then() -> None:
        for _ in range(4):
            if stop.wait(kills.uniform(0.2, 0.8)):
                return
            served.kill()
            served.start()

    killer = threading.Thread(target=kill_now_and_then)
    with served.backend(timeout_s=3) as store, Producer(store, batch_size=20, queue_size=60) as producer:
        killer.start()
        try:
            for number in range(total):
                producer.put(rooms[number % 5], _message(served, number), position=number)
                stop.wait(0.0015)
            producer.flush(60)
        finally:
            stop.set()
            killer.join()
        assert producer.acknowledged() == total - 1
    found = [int(one.text.split()[-1]) for one in served.read(served.custody.ticket(SUBJECT))]
    assert sorted(found) == list(range(total))


def test_through_several_epochs_everything_is_read_once_and_each_is_accounted_for(tmp_path: Path) -> None:
    served = ServedStore(tmp_path, epoch_ms=3_000)
    try:
        rooms = _rooms(3)
        with served.backend() as store, Producer(store, batch_size=10, batch_ms=20) as producer:
            number, begun = 0, served.clock.now_ms()
            while served.clock.now_ms() < begun + 7_000:
                producer.put(rooms[number % 3], _message(served, number))
                number += 1
                threading.Event().wait(0.01)
        until(lambda: sum(b'"epoch-closed"' in leaf for leaf in served.audit.leaves) >= 3)
        found = [int(one.text.split()[-1]) for one in served.read(served.custody.ticket(SUBJECT))]
        assert sorted(found) == list(range(number))
        stub = served.stub(served.authority.service("redaction"))
        ticket = envelope_to(served.custody.ticket(SUBJECT))
        request = pb.ReadSegmentsRequest(ticket=ticket, **{"pass": pb.READ_PASS_SEGMENTS})  # type: ignore[arg-type] # a keyword as field name
        items = list(stub.ReadSegments(request))
        assert sum(one.HasField("epoch") for one in items) >= 2
        assert sum(one.HasField("conversation") for one in items) >= 6
    finally:
        served.close()


def test_a_store_that_is_asked_to_end_ends_calmly(served: ServedStore) -> None:
    with served.backend() as store, Producer(store) as producer:
        producer.put(_rooms(1)[0], _message(served, 0))
    assert served.stop() == 0
    served.start()
    assert len(served.read(served.custody.ticket(SUBJECT))) == 1


def test_the_readmes_example_does_what_it_says(
    served: ServedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (Path(garim.sdk.__file__).parent / "README.md").read_text()
    example = text.split("```python\n")[1].split("```")[0]
    files = served.authority.issue("backend/chat-1")
    for name, path in (
        ("backend.pem", files.certificate),
        ("backend.key", files.key),
        ("mesh-ca.pem", files.trust),
    ):
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    example = example.replace("127.0.0.1:7001", served.address).replace("demo.example", MESH)
    queue = ExampleQueue(served.clock.now_ms() - 60_000)
    exec(compile(example, "README.md", "exec"), {"queue": queue, "saved": None})  # noqa: S102 - our own README
    assert queue.saved in {None, 0, 1, 2}
    found = served.read(served.custody.ticket(("phone", "+821000001234")))
    assert [one.text for one in found] == ["하나", "둘", "셋"]


class ExampleQueue:
    """What the README's back end reads from."""

    def __init__(self, begun_ms: int) -> None:
        self._begun_ms = begun_ms
        self.saved: object = None

    def behind(self, position: object) -> Iterator[tuple[int, Message]]:
        assert position is None
        return enumerate(
            Message(self._begun_ms + at, f"acct-{1 + at % 2}", text)
            for at, text in enumerate(["하나", "둘", "셋"])
        )

    def save(self, position: object) -> None:
        self.saved = position


def test_nothing_of_the_content_is_logged(served: ServedStore) -> None:
    with served.backend() as store:
        producer = Producer(store, batch_size=1)
        producer.put(Roster("방-1", MEMBERS[:1]), _message(served, 3))
        with pytest.raises(StoreRefusedError):
            producer.close()
    served.stop()
    text = "".join(served.lines)
    assert "저녁" not in text
    assert "acct-" not in text
    assert "다온" not in text
