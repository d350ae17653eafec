"""A process is killed in the middle of a second request, which goes on and releases an identity once."""

from __future__ import annotations

import functools
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from garim.cli import unmask_flow
from garim.cli.document_files import acknowledger_of, recipient_of
from garim.cli.draft_commands import common
from garim.cli.mesh_plan import AUDIENCE, CUSTODIANS
from garim.cli.mesh_processes import is_serving
from garim.cli.session import session
from garim.cli.unmask_draft import draft_unmask, grounds_for
from garim.statements.refusal import RefusedError
from mesh_support.live import LiveMesh, insist, until
from mesh_support.played import Played, play
from mesh_support.tripwire import Tripwire, When, tripwire

ONCE = ("unmask-granted", "unmask-requested", "identities-released")
QUORUM = 2


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """A mesh of its own, since its processes are killed."""
    with LiveMesh(tmp_path_factory.mktemp("dying") / "mesh") as mesh:
        yield play(mesh, tmp_path_factory.mktemp("first"))


@pytest.fixture(scope="module")
def persons(begun: Played) -> Iterator[str]:
    """Every masked person of the dossier, again and again."""
    found = {one for line in begun.opened.messages() for one in line.pseudonyms() if one.startswith("P-")}
    return itertools.cycle(sorted(found))


@dataclass
class Second:
    """A second request for one person, as often as its people have to try.

    Attributes:
        mesh: The mesh.
        content: The signed document.
        attachments: The sealed identities that it names.
    """

    mesh: LiveMesh
    content: bytes
    attachments: list[bytes]

    def __post_init__(self) -> None:
        self._logged = {one: self.mesh.logged(one) for one in ONCE}
        self._rows = self.rows()

    def rows(self) -> tuple[int, int]:
        """Return how many requests custody has, and how many identities their budget counts."""
        return (
            self.mesh.query("custody", "SELECT count(*) FROM unmask_requests")[0][0],
            self.mesh.query("custody", "SELECT count(*) FROM unmask_identities")[0][0],
        )

    def file(self) -> bytes:
        """Hand the document in and return custody's request."""

        def once() -> bytes:
            done = self.mesh.submit(self.content, self.attachments)
            assert done.state == "granted", done
            assert done.unmask_request
            return done.unmask_request

        return insist(once)

    def approve(self, request: bytes) -> None:
        """Have the quorum approve; one whose approval is kept already has nothing more to do."""
        for name in CUSTODIANS[:QUORUM]:

            def once(name: str = name) -> None:
                with session(self.mesh.root, name, "custodian") as own:
                    unmask_flow.approve(own, request, self.mesh.places.crls, "TEST", None)

            insist(functools.partial(self._unless_kept, once))

    def _unless_kept(self, decide: Callable[[], None]) -> None:
        try:
            decide()
        except RefusedError as error:
            if error.reason != "DECISION_REPEATED":
                raise

    def collect(self, request: bytes) -> bytes:
        """Collect the answer."""
        with session(self.mesh.root, "", "clerk") as own:
            return unmask_flow.collect(own, request)

    def counted_once(self, request: bytes, answer: bytes) -> None:
        """Demand that everything happened once, and that asking again gives the same."""
        assert insist(lambda: self.collect(request)) == answer
        assert self.file() == request
        assert {one: self.mesh.logged(one) - self._logged[one] for one in ONCE} == dict.fromkeys(ONCE, 1)
        requests, identities = self._rows
        assert self.rows() == (requests + 1, identities + 1)
        assert self.state(request) == "released"

    def state(self, request: bytes) -> str:
        """Return where custody says the request stands."""
        query = "SELECT state FROM unmask_requests WHERE request_id = ?"
        return str(self.mesh.query("custody", query, request.hex())[0][0])


@pytest.fixture
def second(begun: Played, persons: Iterator[str]) -> Second:
    mesh, person = begun.mesh, next(persons)
    agency = mesh.places.agency
    court = (agency / "names.txt").read_text(encoding="utf-8").splitlines()[0]
    payload, sealed = draft_unmask(
        begun.opened,
        begun.receipt,
        {person: grounds_for(begun.opened, person)},
        common(
            AUDIENCE,
            begun.receipt.authority,
            court,
            f"TEST-2026-보충-{time.monotonic_ns()}",
            begun.receipt.case_number,
        ),
        recipient=recipient_of(str(agency / "recipient.txt")),
        acknowledger=acknowledger_of(agency / "clerk.pem"),
    )
    return Second(mesh, mesh.sign(payload), [data for _, data in sealed])


def killed_once(happens: Callable[[], bool], kill: Callable[[], None]) -> threading.Thread:
    """Kill somebody as soon as something has happened."""

    def watch() -> None:
        until(happens, 60)
        kill()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def test_custody_that_dies_with_the_answer_stored_hands_out_those_bytes(second: Second) -> None:
    mesh, request = second.mesh, second.file()
    second.approve(request)
    watching = killed_once(
        lambda: second.state(request) == "released", lambda: mesh.kill_and_start("custody")
    )
    answer = insist(lambda: second.collect(request))
    watching.join()
    stored = mesh.query("custody", "SELECT answer FROM unmask_requests WHERE request_id = ?", request.hex())
    assert stored == [(answer,)]
    second.counted_once(request, answer)


def test_a_log_that_is_dead_holds_a_release_back(second: Second) -> None:
    mesh, request = second.mesh, second.file()
    second.approve(request)
    released = mesh.logged("identities-released")
    mesh.kill("audit")
    with ThreadPoolExecutor(1) as clerk:
        collecting = clerk.submit(insist, functools.partial(second.collect, request))
        until(lambda: second.state(request) == "releasing")
        assert mesh.logged("identities-released") == released
        mesh.up()
        answer = collecting.result()
    second.counted_once(request, answer)


def test_a_log_that_dies_with_the_release_appended_has_it_once(second: Second) -> None:
    mesh, request = second.mesh, second.file()
    second.approve(request)
    released = mesh.logged("identities-released")
    watching = killed_once(
        lambda: mesh.logged("identities-released") > released, lambda: mesh.kill_and_start("audit")
    )
    answer = insist(lambda: second.collect(request))
    watching.join()
    until(lambda: is_serving(mesh.file.health["audit"]))
    second.counted_once(request, answer)


@pytest.fixture(scope="module")
def wire(begun: Played) -> Iterator[Tripwire]:
    with tripwire(begun.mesh) as laid:
        yield laid


@pytest.mark.parametrize(
    ("kind", "victim", "when"),
    [
        ("unmask-granted", "warrants", "after"),
        ("unmask-requested", "warrants", "after"),
        ("unmask-requested", "custody", "before"),
        ("unmask-requested", "custody", "after"),
        ("approval", "custody", "after"),
        ("identities-released", "custody", "before"),
        ("identities-released", "custody", "after"),
    ],
)
def test_a_second_request_goes_on_where_it_stood_and_nothing_is_doubled(
    wire: Tripwire, second: Second, kind: str, victim: str, when: When
) -> None:
    mesh, sprung = second.mesh, wire.sprung
    wire.lay(kind, when, lambda: mesh.kill_and_start(victim))
    request = second.file()
    second.approve(request)
    answer = insist(lambda: second.collect(request))
    assert wire.sprung == sprung + 1
    second.counted_once(request, answer)
    until(lambda: is_serving(mesh.file.health[victim]))
