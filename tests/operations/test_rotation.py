"""Certificates replaced while calls go on: a new authority, new leaves, the former authority out."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest

from garim.api.warrants.v1 import warrants_pb2
from garim.cli.files import write_private
from garim.cli.mesh_plan import MESH_NAME, Places
from garim.cli.meshfolder import SERVICES
from garim.cli.session import Session, session
from garim.kit.identity import dns_name
from garim.statements.refusal import RefusedError
from garim.testing import pki
from mesh_support.live import LiveMesh, refused
from operations_support import Traffic

pytestmark = pytest.mark.timeout(300)
# What everybody takes to see new files: each looks when it next makes a call or takes a connection.
SETTLE_S = 2.0


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[LiveMesh]:
    with LiveMesh(tmp_path / "mesh") as made:
        yield made


class Callers:
    """People who call over and over, each time over a new connection, until the end.

    Args:
        mesh: The mesh's folder.
    """

    def __init__(self, mesh: Path) -> None:
        self._mesh = mesh
        self._done = threading.Event()
        self.answered = 0
        self.failed: list[str] = []
        calls: list[tuple[str, Callable[[Session], object]]] = [
            ("clerk", lambda own: own.warrants.ListCases(warrants_pb2.ListCasesRequest())),
            ("auditor", lambda own: (own.governance(), own.ledger.refresh())),
        ]
        self._threads = [threading.Thread(target=self._run, args=one) for one in calls]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _run(self, role: str, call: Callable[[Session], object]) -> None:
        while not self._done.is_set():
            try:
                with session(self._mesh, "", role) as own:
                    call(own)
            except RefusedError as error:
                self.failed.append(f"{role}: {error.reason}")
            else:
                self.answered += 1
            time.sleep(0.05)


class Authority:
    """What renews the certificates of a mesh: new files take the place of old ones, each at once."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.made = pki.make_mesh(MESH_NAME, dt.datetime.now(dt.UTC))

    def holders(self) -> Iterator[tuple[Path, str]]:
        """Yield each identity's folder and SPIFFE path."""
        for service in SERVICES:
            yield self._places.service(service), f"service/{service}"
        for folder in sorted(self._places.people.iterdir()):
            role, _, name = folder.name.partition("-")
            yield folder, f"backend/{name}" if role == "backend" else f"person/{role}/{name}"

    def trust(self, *certificates: bytes) -> None:
        """Give everybody a trust store."""
        for folder, _ in self.holders():
            write_private(folder / "ca.pem", b"".join(certificates), replace=True)

    def renew(self) -> None:
        """Give everybody a new leaf, services first."""
        for folder, path in self.holders():
            kind, _, name = path.partition("/")
            names = (dns_name(MESH_NAME, name), "localhost") if kind == "service" else ()
            identity = self.made.issue(path, dns=names)
            write_private(folder / "tls.key", identity.key_pem(), replace=True)
            write_private(folder / "tls.pem", identity.chain_pem(), replace=True)


def test_a_new_authority_and_new_leaves_fail_no_call(mesh: LiveMesh, tmp_path: Path) -> None:
    former = (mesh.places.service("audit") / "ca.pem").read_bytes()
    kept = tmp_path / "kept"
    kept.mkdir()
    clerk = next(mesh.places.people.glob("clerk-*"))
    for name in ("tls.pem", "tls.key"):
        write_private(kept / name, (clerk / name).read_bytes())
    authority = Authority(mesh.places)
    new = authority.made.ca.pem.encode()
    with Traffic(mesh.root) as traffic, Callers(mesh.root) as callers:
        time.sleep(SETTLE_S)
        authority.trust(former, new)
        time.sleep(SETTLE_S)
        authority.renew()
        time.sleep(SETTLE_S)
        authority.trust(new)
        time.sleep(SETTLE_S)
        authority.renew()
        time.sleep(SETTLE_S)
    figures = {"messages": traffic.acknowledged, "calls": callers.answered, "failed": callers.failed}
    print(figures)  # noqa: T201 - what `make test-operations` reports
    assert (traffic.failed, traffic.acknowledged) == ([], traffic.put)
    assert callers.failed == []
    assert callers.answered > 20
    # Who holds a leaf of the former authority is let in no more.
    for name in ("tls.pem", "tls.key"):
        write_private(clerk / name, (kept / name).read_bytes(), replace=True)
    with session(mesh.root, "", "clerk") as own, refused("PEER_UNAVAILABLE"):
        own.warrants.ListCases(warrants_pb2.ListCasesRequest())
