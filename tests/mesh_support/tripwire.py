"""The log in the test's own process, with traps: a caller dies just before or just after its entry is in."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import grpc

from garim.api.audit.v1 import audit_pb2 as pb
from garim.api.audit.v1.audit_pb2_grpc import AuditLogServiceServicer, add_AuditLogServiceServicer_to_server
from garim.audit.service import TransparencyLog
from garim.audit.servicer import AuditLogServicer
from garim.cli.mesh_settings import log_origin
from garim.kit.clock import SystemClock
from garim.kit.db import Database
from garim.translog.keys import Signer
from mesh_support.impostor import impostor
from mesh_support.live import LiveMesh

When = Literal["before", "after"]


@dataclass(slots=True)
class Tripwire(AuditLogServiceServicer):  # type: ignore[misc] # generated code has no types
    """Serves the mesh's own log and springs each trap once.

    Attributes:
        real: What answers.
        sprung: How many traps have sprung.
    """

    real: AuditLogServicer
    sprung: int = 0
    _traps: dict[str, tuple[When, Callable[[], None]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def lay(self, kind: str, when: When, spring: Callable[[], None]) -> None:
        """Lay a trap on the next entry of a type.

        Args:
            kind: Type of the entry.
            when: Whether it springs before or after the entry is in the log.
            spring: What happens; the caller never gets an answer.
        """
        with self._lock:
            self._traps[kind] = when, spring

    def AppendEntry(  # noqa: N802 - the RPC's name
        self, request: pb.AppendEntryRequest, context: grpc.ServicerContext
    ) -> pb.AppendEntryResponse:
        """Append, with or without a trap."""
        with self._lock:
            when, spring = self._traps.pop(request.type, ("", None))
        answer = None if when == "before" else self.real.AppendEntry(request, context)
        if spring is not None:
            spring()
            self.sprung += 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "too late")
        assert answer is not None
        return answer

    def __getattribute__(self, name: str) -> object:
        if name in {"GetCheckpoint", "GetInclusionProof", "GetConsistencyProof", "ListEntries"}:
            return getattr(self.real, name)
        return object.__getattribute__(self, name)


def open_log(mesh: LiveMesh, database: Database) -> TransparencyLog:
    """Open a mesh's log on a database, with the log's own key."""
    return TransparencyLog(
        database,
        Signer.of_private_key(log_origin(mesh.file.mesh), mesh.stolen_key("audit")),
        mesh=mesh.file.mesh,
        genesis=bytes.fromhex(mesh.file.genesis),
        clock=SystemClock(),
        wait_for=(),
    )


@contextlib.contextmanager
def tripwire(mesh: LiveMesh) -> Iterator[Tripwire]:
    """Serve a mesh's log from this process instead of its own."""
    mesh.kill("audit")
    folder = mesh.places.service("audit")
    database = Database(folder / "database.sqlite")
    try:
        wire = Tripwire(AuditLogServicer(open_log(mesh, database), mesh.file.mesh))
        with impostor(
            folder,
            mesh.file.addresses["audit"],
            lambda server: add_AuditLogServiceServicer_to_server(wire, server),
        ):
            yield wire
    finally:
        database.close()
        mesh.up()
