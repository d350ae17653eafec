"""One person's connection to the mesh: channels, governance as they verified it, the log as they pinned it.

Each person keeps a small database of their own (`state.sqlite`) with the governance versions and the largest
checkpoint they have seen: a custodian's or reviewer's client is a witness like every service.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import grpc

from garim.api.audit.v1.audit_pb2_grpc import AuditLogServiceStub
from garim.api.custody.v1.custody_pb2_grpc import CustodyServiceStub
from garim.api.redaction.v1.redaction_pb2_grpc import RedactionServiceStub
from garim.api.warrants.v1.warrants_pb2_grpc import WarrantsServiceStub
from garim.cli.keyfiles import passphrase_of
from garim.cli.meshfolder import MeshFile, MeshFolder, Person
from garim.documents.envelope import Envelope
from garim.kit import governance_table
from garim.kit.channel import Peers
from garim.kit.clock import Clock, SystemClock
from garim.kit.db import Database
from garim.kit.document_opener import DocumentOpener
from garim.kit.governance import GovernanceSource
from garim.kit.governance_table import GovernanceTable
from garim.kit.ledger import Ledger, tables
from garim.kit.telemetry import Telemetry
from garim.kit.tls import Rotation
from garim.sealing.secret import Secret
from garim.statements.governance import Governance

StubT = TypeVar("StubT")
STATE_FILE = "state.sqlite"


class Session:
    """A person's connection; use `session` to open and close it.

    Args:
        mesh: What the mesh's folder says.
        person: Who acts.
        clock: For deadlines and checks of time.
        peers: Channels under the person's certificate.
        database: The person's own state.
    """

    def __init__(
        self, mesh: MeshFile, person: Person, clock: Clock, peers: Peers, database: Database
    ) -> None:
        self.mesh = mesh
        self.person = person
        self.clock = clock
        self._peers = peers
        self._documents: DocumentOpener | None = None
        self.governance_source = GovernanceSource(
            self.custody,
            mesh=mesh.mesh,
            genesis=mesh.genesis,
            clock=clock,
            store=GovernanceTable(database),
        )
        self.ledger = Ledger(
            self.audit,
            governance=self.governance_source,
            actor=person.spiffe_id,
            database=database,
            clock=clock,
            random_bytes=secrets.token_bytes,
        )

    @property
    def custody(self) -> CustodyServiceStub:
        """Custody's stub."""
        return self._stub(CustodyServiceStub, "custody")

    @property
    def warrants(self) -> WarrantsServiceStub:
        """Warrants' stub."""
        return self._stub(WarrantsServiceStub, "warrants")

    @property
    def redaction(self) -> RedactionServiceStub:
        """Redaction's stub."""
        return self._stub(RedactionServiceStub, "redaction")

    @property
    def audit(self) -> AuditLogServiceStub:
        """The log's stub."""
        return self._stub(AuditLogServiceStub, "audit")

    @property
    def peers(self) -> Peers:
        """The channels, for clients of other services."""
        return self._peers

    def governance(self) -> Governance:
        """Return the governance in force, verified from the genesis digest."""
        return self.governance_source.current()

    def now_ms(self) -> int:
        """Return the time in milliseconds since 1970."""
        return self.clock.now_ms()

    def open_document(self, media_type: str, data: bytes) -> Envelope:
        """Open a document in a child process; see `DocumentOpener.open`."""
        if self._documents is None:
            self._documents = DocumentOpener()
        return self._documents.open(media_type, data)

    def close(self) -> None:
        """End what was started for this session."""
        if self._documents is not None:
            self._documents.close()

    def passphrase(self, file: Path | None) -> Secret:
        """Return the passphrase of the person's keys; see `keyfiles.passphrase_of`."""
        return passphrase_of(file, self.person.passphrase, f"{self.person.role} {self.person.name}")

    def _stub(self, kind: Callable[[grpc.Channel], StubT], service: str) -> StubT:
        return self._peers.stub(kind, service)


@contextmanager
def session(folder: Path, who: str, role: str) -> Iterator[Session]:
    """Open a person's connection.

    Args:
        folder: The mesh's folder.
        who: See `MeshFolder.person`.
        role: The role that the command needs.

    Raises:
        RefusedError: Those of `MeshFolder`, of the person's certificate and state.
    """
    mesh_folder = MeshFolder(folder)
    mesh = mesh_folder.read()
    person = mesh_folder.person(who, role)
    clock = SystemClock()
    with Path(os.devnull).open("w") as nowhere:
        telemetry = Telemetry("cli", clock, stream=nowhere)
        rotation = Rotation(person.tls, mesh.mesh, clock, telemetry)
        peers = Peers(rotation, mesh.addresses, clock=clock, telemetry=telemetry)
        database = Database(person.folder / STATE_FILE)
        try:
            with database.writing() as connection:
                tables.create_all(connection)
                governance_table.create_all(connection)
            with closing(Session(mesh, person, clock, peers, database)) as own:
                yield own
        finally:
            peers.close()
            database.close()
