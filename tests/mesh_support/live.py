"""Five real processes on 127.0.0.1, with everything an attacker could steal in reach."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import os
import secrets
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.api.audit.v1.audit_pb2_grpc import AuditLogServiceStub
from garim.api.common.v1 import statement_pb2
from garim.api.custody.v1.custody_pb2_grpc import CustodyServiceStub
from garim.api.messages.v1.messages_pb2_grpc import MessageStoreServiceStub
from garim.api.redaction.v1.redaction_pb2_grpc import RedactionServiceStub
from garim.api.warrants.v1 import warrants_pb2
from garim.api.warrants.v1.warrants_pb2_grpc import WarrantsServiceStub
from garim.cli import dossier_files
from garim.cli.cases import Submitted, patiently, submit
from garim.cli.demo.chosen import Chosen, choose
from garim.cli.document_files import acknowledger_of, crls_in, read_chain, read_private_key, recipient_of
from garim.cli.dossier_build import build
from garim.cli.hold_commands import lift
from garim.cli.import_command import send
from garim.cli.mesh_plan import AUDIENCE, MESH_NAME, REVIEW_QUORUM, REVIEWERS, Places, free_ports
from garim.cli.mesh_processes import Processes
from garim.cli.mesh_setup import AGE_IDENTITY, set_up
from garim.cli.review_commands import review
from garim.cli.session import session
from garim.documents import draft, sign
from garim.documents.fields import write_instant
from garim.documents.media_types import JWS_MEDIA_TYPE
from garim.dossier.opening import OpenedDossier
from garim.kit.channel import PeerChannel, Peers
from garim.kit.clock import SystemClock
from garim.kit.db import Database, Server
from garim.kit.governance import GovernanceSource
from garim.kit.governance_table import GovernanceTable
from garim.kit.governance_table import create_all as create_governance
from garim.kit.identity import service_id
from garim.kit.ledger import Ledger, tables
from garim.kit.telemetry import Telemetry
from garim.kit.tls import Rotation, TlsFiles
from garim.statements.receipts import DossierReceipt
from garim.statements.refusal import Kind, RefusedError

WRITE_SECRET_S = 2
StubT = TypeVar("StubT")
AnswerT = TypeVar("AnswerT")


class Thief:
    """Somebody who holds another's certificate and key.

    Args:
        mesh: Where they were stolen.
        folder: The victim's folder.
    """

    def __init__(self, mesh: LiveMesh, folder: Path) -> None:
        self._nowhere = Path(os.devnull).open("w")  # noqa: SIM115 - closed by `close`
        clock = SystemClock()
        telemetry = Telemetry("thief", clock, stream=self._nowhere)
        files = TlsFiles(folder / "tls.pem", folder / "tls.key", folder / "ca.pem")
        rotation = Rotation(files, MESH_NAME, clock, telemetry)
        self.peers = Peers(rotation, mesh.file.addresses, clock=clock, telemetry=telemetry)
        self._channels = {
            service: PeerChannel(rotation, service, address, clock=clock, telemetry=telemetry)
            for service, address in mesh.file.addresses.items()
        }

    def close(self) -> None:
        """End the connections."""
        self.peers.close()
        for channel in self._channels.values():
            channel.close()
        self._nowhere.close()

    def channel(self, service: str) -> PeerChannel:
        """Return a channel to a service, for calls that no stub makes."""
        return self._channels[service]

    @property
    def custody(self) -> CustodyServiceStub:
        """Custody, called as the victim."""
        return self.peers.stub(CustodyServiceStub, "custody")

    @property
    def warrants(self) -> WarrantsServiceStub:
        """Warrants, called as the victim."""
        return self.peers.stub(WarrantsServiceStub, "warrants")

    @property
    def messages(self) -> MessageStoreServiceStub:
        """The store, called as the victim."""
        return self.peers.stub(MessageStoreServiceStub, "messages")

    @property
    def redaction(self) -> RedactionServiceStub:
        """Redaction, called as the victim."""
        return self.peers.stub(RedactionServiceStub, "redaction")

    @property
    def audit(self) -> AuditLogServiceStub:
        """The log, called as the victim."""
        return self.peers.stub(AuditLogServiceStub, "audit")


class LiveMesh:
    """A mesh of five processes that end with this one.

    Args:
        root: A new folder.
        write_secret_s: How long a write secret lives, in seconds.
        database: PostgreSQL server for the tables; files without.
        telemetry: Address of a collector of traces; the services show their metrics, too, if it is given.
    """

    def __init__(
        self,
        root: Path,
        write_secret_s: int = WRITE_SECRET_S,
        database: Server | None = None,
        telemetry: str = "",
    ) -> None:
        self.root = root
        self.places = Places(root)
        self.file = set_up(root, dt.datetime.now(dt.UTC), database=database)
        settings = self.places.settings("messages")
        settings.write_text(f"write_secret_s = {write_secret_s}\n{settings.read_text()}")
        self.metrics = dict(zip(self.file.addresses, free_ports(5), strict=True)) if telemetry else {}
        for service, port in self.metrics.items():
            settings = self.places.settings(service)
            traced = f'[telemetry]\ntracing = "otlp"\ncollector = "{telemetry}"\n'
            settings.write_text(f'metrics_listen = "127.0.0.1:{port}"\n{settings.read_text()}\n{traced}')
        self.processes = Processes(self.places)
        self._numbers = itertools.count(1)
        self._thieves: dict[str, Thief] = {}
        self._ledgers: dict[str, tuple[Ledger, Database]] = {}
        self._starter = ThreadPoolExecutor(1)
        self.up()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for thief in self._thieves.values():
            thief.close()
        for _, database in self._ledgers.values():
            database.close()
        self.processes.stop()
        self._starter.shutdown()
        for service in self.file.addresses:
            self._reap(service)

    def _reap(self, service: str) -> None:
        child = self.processes._children.get(service)  # nobody else waits for a killed child
        if child is not None:
            child.wait(30)

    def up(self) -> None:
        """Start what does not run, and wait until all serve."""
        for service in self.file.addresses:
            self.processes.start(service, tied=True)
        self.processes.await_ready(self.file, lambda _service: None)

    def pid(self, service: str) -> int:
        """Return the process id of a service."""
        running = self.processes.running(service)
        assert running is not None, service
        return running.pid

    def kill(self, service: str) -> None:
        """End a service without any warning."""
        pid = self.pid(service)
        os.kill(pid, signal.SIGKILL)
        self._reap(service)

    def kill_and_start(self, service: str) -> None:
        """End a service without any warning, and start it again; it is not waited for."""
        self.kill(service)
        # A tied process ends with the thread that started it, so that has to last.
        self._starter.submit(self.processes.start, service, tied=True).result()

    def stolen(self, whose: str) -> Thief:
        """Return a thief of `service/NAME`, `person/ROLE/NAME` or `backend/NAME`."""
        if whose not in self._thieves:
            self._thieves[whose] = Thief(self, self.folder_of(whose))
        return self._thieves[whose]

    def folder_of(self, whose: str) -> Path:
        """Return the folder of an identity."""
        kind, _, name = whose.partition("/")
        if kind == "service":
            return self.places.service(name)
        return self.places.people / (whose if kind == "backend" else name).replace("/", "-")

    def identities(self) -> list[str]:
        """Return every identity of the mesh."""
        people = sorted(one.name.partition("-") for one in self.places.people.iterdir())
        return [f"service/{one}" for one in self.file.addresses] + [
            f"backend/{name}" if role == "backend" else f"person/{role}/{name}" for role, _, name in people
        ]

    def stolen_key(self, service: str) -> Ed25519PrivateKey:
        """Return a service's statement key, or the log's."""
        name = "log.key" if service == "audit" else "statement.key"
        pem = (self.places.service(service) / name).read_bytes()
        key = serialization.load_pem_private_key(pem, None)
        assert isinstance(key, Ed25519PrivateKey)
        return key

    def stolen_ledger(self, service: str) -> Ledger:
        """Return a ledger that logs as a service, from a database of the thief's own."""
        if service not in self._ledgers:
            folder = self.root / "thieves"
            folder.mkdir(exist_ok=True)
            database = Database(folder / f"{service}.sqlite")
            with database.writing() as connection:
                tables.create_all(connection)
                create_governance(connection)
            thief = self.stolen(f"service/{service}")
            clock = SystemClock()
            source = GovernanceSource(
                thief.custody,
                mesh=MESH_NAME,
                genesis=self.file.genesis,
                clock=clock,
                store=GovernanceTable(database),
            )
            ledger = Ledger(
                thief.audit,
                governance=source,
                actor=service_id(MESH_NAME, service),
                database=database,
                clock=clock,
                random_bytes=secrets.token_bytes,
            )
            self._ledgers[service] = ledger, database
        return self._ledgers[service][0]

    def query(self, service: str, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Read a service's database, as who has stolen it would."""
        path = self.places.service(service) / "database.sqlite"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return connection.execute(sql, values).fetchall()

    def store_sample(self) -> Chosen:
        """Import the project's own sample room with its secret chat."""
        chosen = choose(None, "", "")
        send(chosen.source, self.root, "", lambda _read, _total: None)
        return chosen

    def document(
        self,
        subjects: Sequence[tuple[str, str]],
        period: tuple[str, str],
        *,
        mode: str = "sealed",
        case_number: str = "",
    ) -> bytes:
        """Draft a disclosure and sign it as court and chief investigator."""
        return self.sign(self.payload(subjects, period, mode=mode, case_number=case_number))

    def payload(
        self,
        subjects: Sequence[tuple[str, str]],
        period: tuple[str, str],
        *,
        mode: str = "sealed",
        case_number: str = "",
    ) -> bytes:
        """Draft a disclosure."""
        court, authority = (self.places.agency / "names.txt").read_text(encoding="utf-8").splitlines()
        number = f"TEST-2026-압수-{next(self._numbers)}"
        return draft.draft_disclosure(
            {
                "audience": AUDIENCE,
                "authority": authority,
                "court": court,
                "number": number,
                "case_number": case_number or f"case {number}",
                "issued_at": write_instant(SystemClock().now_ms()),
            },
            offence="espionage",
            warrant_type="search-and-seizure-stored",
            subjects=list(subjects),
            period=period,
            recipient=recipient_of(str(self.places.agency / "recipient.txt")),
            acknowledger=acknowledger_of(self.places.agency / "clerk.pem"),
            mode=mode,
            expires_at=None,
        )

    def sign(self, payload: bytes, *signers: str) -> bytes:
        """Sign a payload as judge and chief investigator, or as those named."""
        envelope = sign.start_envelope(payload)
        for name in signers or ("judge", "chief"):
            key = read_private_key(self.places.agency / f"{name}.key", None)
            envelope = sign.add_signature(envelope, key, read_chain(self.places.agency / f"{name}.pem"))
        return envelope

    def submit(self, content: bytes, attachments: Sequence[bytes] = ()) -> Submitted:
        """Hand a document in as the clerk."""
        with session(self.root, "", "clerk") as own:
            return submit(own, content, list(attachments))

    def granted(self, content: bytes) -> bytes:
        """Hand a document in, let the reviewers approve where they must, return its case."""
        done = self.submit(content)
        if done.state == "in-review":
            for name in REVIEWERS[:REVIEW_QUORUM]:
                with session(self.root, name, "reviewer") as own:
                    review(own, done.case, self.places.crls, "review-approve", "TEST", None)
        else:
            assert done.state == "granted", done
        return done.case

    def case(self, case_id: bytes) -> warrants_pb2.GetCaseResponse:
        """Return a case as redaction sees it."""
        request = warrants_pb2.GetCaseRequest(case_id=case_id)
        return self.stolen("service/redaction").warrants.GetCase(request)

    def build(self, case_id: bytes) -> bytes:
        """Have a dossier built, the reviewers lifting what the leak scan holds; returns its id."""
        for _ in range(4):
            try:
                with session(self.root, "", "clerk") as own:
                    return build(own, case_id, lambda _stage, _done, _total: None).dossier
            except RefusedError as error:
                if error.reason != "LEAK_HOLDS":
                    raise
            for name in REVIEWERS[:REVIEW_QUORUM]:
                with session(self.root, name, "reviewer") as own:
                    lift(own, case_id, crls_in(self.places.crls), "TEST: a word", None)
        raise AssertionError("reviewers lifted every hold, and the scan still finds more")

    def fetch(self, case_id: bytes, folder: Path) -> tuple[DossierReceipt, OpenedDossier]:
        """Fetch a package and open it as the investigator."""
        with session(self.root, "", "clerk") as own:
            receipt = dossier_files.fetch(own, case_id, folder, self.file.genesis, lambda _bytes: None)
        package, identity = folder / dossier_files.PACKAGE, self.places.agency / AGE_IDENTITY
        return receipt, dossier_files.open_package(package, identity, folder / "opened")

    def logged(self, kind: str) -> int:
        """Return how many entries of a type the log holds."""
        found = self.query("audit", "SELECT count(*) FROM log_leaves WHERE kind = ?", kind)
        return int(found[0][0])


def as_document(content: bytes, attachments: Sequence[bytes] = ()) -> statement_pb2.Document:
    """Return a signed document as services take it."""
    return statement_pb2.Document(media_type=JWS_MEDIA_TYPE, content=content, attachments=attachments)


def until(done: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def willing(call: Callable[[], AnswerT], seconds: float = 30.0) -> AnswerT:
    """Repeat a call while services wait for each other after a start."""
    return patiently(call, seconds)


def insist(step: Callable[[], AnswerT], seconds: float = 60.0) -> AnswerT:
    """Repeat a step as somebody would who is told to try again, while services die under it."""
    end = time.monotonic() + seconds
    while True:
        try:
            return step()
        except RefusedError as error:
            if error.kind is not Kind.UNAVAILABLE or time.monotonic() > end:
                raise
        time.sleep(0.2)


@contextlib.contextmanager
def refused(*reasons: str) -> Iterator[None]:
    """Demand that what is tried is refused for one of these reasons."""
    with pytest.raises(RefusedError) as caught:
        yield
    assert caught.value.reason in reasons, (caught.value.message, caught.value.field)
