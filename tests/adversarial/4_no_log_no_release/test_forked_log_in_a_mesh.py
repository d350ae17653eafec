"""The log taken over: it shows warrants one history and everybody else another, in a running mesh."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from garim.api.audit.v1.audit_pb2_grpc import AuditLogServiceServicer, add_AuditLogServiceServicer_to_server
from garim.audit.servicer import AuditLogServicer
from garim.kit.db import Database
from garim.kit.identity import peer_of
from mesh_support.impostor import impostor
from mesh_support.live import LiveMesh, insist, refused, until
from mesh_support.played import Played, play
from mesh_support.reading import create_key, read_ticket
from mesh_support.tripwire import open_log

MEMBERS = ("AppendEntry", "GetCheckpoint", "GetInclusionProof", "GetConsistencyProof", "ListEntries")


class TwoFaced:
    """Answers warrants from one tree and everybody else from another.

    Args:
        for_warrants: Shown to warrants.
        for_others: Shown to the others.
        mesh: Name of the mesh.
    """

    def __init__(
        self, for_warrants: AuditLogServiceServicer, for_others: AuditLogServiceServicer, mesh: str
    ) -> None:
        self._faces = for_warrants, for_others
        self._mesh = mesh

    def __getattr__(self, name: str) -> Any:
        if name not in MEMBERS:
            raise AttributeError(name)

        def answer(request: object, context: grpc.ServicerContext) -> object:
            whose = peer_of(context, self._mesh).name
            return getattr(self._faces[whose != "warrants"], name)(request, context)

        return answer


@dataclass(frozen=True, slots=True)
class Forked:
    """A mesh whose log has two histories, and a case that was granted in the one that warrants sees."""

    played: Played
    case: bytes


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    with LiveMesh(tmp_path_factory.mktemp("forked") / "mesh") as mesh, contextlib.ExitStack() as stack:
        played = play(mesh, tmp_path_factory.mktemp("before"))
        folder: Path = mesh.places.service("audit")
        mesh.kill("audit")
        other = folder / "other.sqlite"
        for suffix in ("", "-wal", "-shm"):
            if (source := folder / f"database.sqlite{suffix}").exists():
                shutil.copy(source, f"{other}{suffix}")
        faces = []
        for path in (other, folder / "database.sqlite"):
            database = Database(path)
            stack.callback(database.close)
            faces.append(AuditLogServicer(open_log(mesh, database), mesh.file.mesh))
        lying: Any = TwoFaced(*faces, mesh.file.mesh)
        serving = impostor(
            folder,
            mesh.file.addresses["audit"],
            lambda server: add_AuditLogServiceServicer_to_server(lying, server),
        )
        stack.enter_context(serving)
        yield Forked(played, insist(lambda: mesh.granted(played.another())))


def test_warrants_alone_notices_nothing_since_its_history_is_whole(forked: Forked) -> None:
    mesh = forked.played.mesh
    assert mesh.case(forked.case).HasField("grant")
    assert mesh.query("warrants", "SELECT count(*) FROM ledger_forks") == [(0,)]


def test_a_grant_that_stands_in_the_other_history_opens_nothing_and_convicts_the_log(forked: Forked) -> None:
    mesh = forked.played.mesh
    case = mesh.case(forked.case)
    for _ in range(2):
        with refused("LOG_FORK"):
            insist(lambda: create_key(mesh, case), 20)
        with refused("LOG_FORK"):
            insist(lambda: read_ticket(mesh, case), 20)
    with refused("LOG_FORK"):
        insist(lambda: mesh.build(forked.case), 20)
    assert mesh.logged("dossier-key-created") == 1
    assert mesh.query("custody", "SELECT count(*) FROM ledger_forks") != [(0,)]


def test_no_restart_makes_custody_forget_which_history_it_has_seen(forked: Forked) -> None:
    mesh = forked.played.mesh
    mesh.kill_and_start("custody")
    until(lambda: mesh.processes.running("custody") is not None)
    case = mesh.case(forked.case)
    with refused("LOG_FORK"):
        insist(lambda: create_key(mesh, case), 30)
