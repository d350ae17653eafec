"""A process is killed at the worst moment; whoever asked asks again, and everything counts once."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from garim.cli.audit_check import verify_log
from garim.cli.mesh_processes import is_serving
from garim.cli.session import session
from garim.sdk import GarimStore, Message, Producer, Roster, TlsPaths
from garim.sealing.segment import SegmentHeader
from mesh_support.live import LiveMesh, insist, until
from mesh_support.memory import children
from mesh_support.played import STRANGERS, Played, play
from mesh_support.reading import stolen_store
from mesh_support.tripwire import Tripwire, When, tripwire

MESSAGES = 2_000
ONCE = ("disclosure-granted", "dossier-key-created", "dossier-closed", "forecast")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """A mesh of its own, since its log will be served by the test."""
    with LiveMesh(tmp_path_factory.mktemp("dying") / "mesh") as mesh:
        yield play(mesh, tmp_path_factory.mktemp("first"))


@pytest.fixture(scope="module")
def wire(begun: Played) -> Iterator[Tripwire]:
    with tripwire(begun.mesh) as laid:
        yield laid


def test_a_log_that_dies_while_it_appends_has_every_answered_entry_once(begun: Played) -> None:
    mesh = begun.mesh
    ledger = mesh.stolen_ledger("redaction")
    stop = threading.Event()
    bodies: list[bytes] = []

    def append() -> None:
        while not stop.is_set():
            body = f'{{"number":{len(bodies)}}}'.encode()
            bodies.append(body)
            # Whoever logs asks again, with the same key and body, until the log answers.
            insist(functools.partial(ledger.append, "delivered", body, key=body.decode()))

    before = mesh.logged("delivered")
    appending = threading.Thread(target=append)
    appending.start()
    try:
        until(lambda: len(bodies) > 50)
        mesh.kill_and_start("audit")
        seen = len(bodies)
        until(lambda: len(bodies) > seen + 20, 90)
    finally:
        stop.set()
        appending.join()
    assert mesh.logged("delivered") == before + len(bodies)
    with session(mesh.root, "", "auditor") as auditor:
        assert verify_log(auditor).types["delivered"] >= len(bodies)


def test_a_store_that_dies_while_it_takes_messages_in_keeps_each_once(begun: Played) -> None:
    mesh = begun.mesh
    known = {SegmentHeader.decode(header).conversation for header, _ in stolen_store(mesh).segments}
    folder = mesh.folder_of("backend/chat")
    tls = TlsPaths(folder / "tls.pem", folder / "tls.key", folder / "ca.pem")
    room = Roster("room-under-load", list(STRANGERS))
    with (
        GarimStore(mesh.file.addresses["messages"], mesh=mesh.file.mesh, tls=tls) as store,
        Producer(store, batch_size=20, give_up_s=60.0) as producer,
    ):
        for number in range(MESSAGES):
            producer.put(room, Message(begun.chosen.span[0] + number, STRANGERS[0].account, f"TEST {number}"))
            if number and number % (MESSAGES // 4) == 0:
                mesh.kill_and_start("messages")
        producer.flush(90)
    stored = [
        header
        for encoded, _ in stolen_store(mesh).segments
        if (header := SegmentHeader.decode(encoded)).conversation not in known
    ]
    assert sum(header.count for header in stored) == MESSAGES


@pytest.mark.parametrize(
    ("kind", "victim", "when"),
    [
        ("forecast", "messages", "after"),
        ("disclosure-granted", "warrants", "after"),
        ("dossier-key-created", "custody", "before"),
        ("dossier-key-created", "custody", "after"),
        ("keys-released", "custody", "after"),
        ("keys-released", "redaction", "after"),
        ("dossier-closed", "redaction", "after"),
        ("dossier-closed", "custody", "after"),
        ("delivered", "redaction", "after"),
    ],
)
def test_a_case_goes_on_where_it_stood_and_nothing_is_doubled(
    begun: Played, wire: Tripwire, tmp_path: Path, kind: str, victim: str, when: When
) -> None:
    mesh = begun.mesh
    before = {one: mesh.logged(one) for one in ONCE}
    dossiers = len(mesh.query("custody", "SELECT dossier_id FROM dossiers"))
    sprung = wire.sprung
    orphans: list[int] = []

    def spring() -> None:
        orphans.extend(children(mesh.pid("redaction"), "garim.redaction.attempt"))
        mesh.kill_and_start(victim)

    wire.lay(kind, when, spring)
    document = begun.another()
    case = insist(lambda: mesh.granted(document))
    dossier = insist(lambda: mesh.build(case))
    attempts = iter(range(100))
    receipt, opened = insist(lambda: mesh.fetch(case, tmp_path / str(next(attempts))))
    assert wire.sprung == sprung + 1
    assert {one: mesh.logged(one) - before[one] for one in ONCE} == dict.fromkeys(ONCE, 1)
    assert len(mesh.query("custody", "SELECT dossier_id FROM dossiers")) == dossiers + 1
    assert receipt.dossier == dossier.hex()
    assert receipt.messages == begun.receipt.messages
    assert len(list(opened.messages())) == receipt.messages
    assert insist(lambda: mesh.granted(document)) == case
    assert insist(lambda: mesh.build(case)) == dossier
    spool = mesh.places.service("redaction") / "spool"
    assert len(list(spool.glob(f"{dossier.hex()}-*"))) == 1
    until(lambda: is_serving(mesh.file.health[victim]))
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in orphans))
