"""Keys and certificates replaced while calls go on: a new authority, leaves, a statement key."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from garim.api.warrants.v1 import warrants_pb2
from garim.cli.files import write_private
from garim.cli.governance_init import key_text
from garim.cli.main import app
from garim.cli.mesh_plan import MESH_NAME, Places
from garim.cli.meshfolder import SERVICES
from garim.cli.session import Session, session
from garim.kit.identity import dns_name
from garim.statements import governance, strict_json
from garim.statements.governance import Governance, ServiceKey
from garim.statements.refusal import RefusedError
from garim.testing import pki
from mesh_support.live import LiveMesh, insist, refused, until
from operations_support import Traffic, stop, until_serving

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


def decide(mesh: LiveMesh, services: Callable[[tuple[ServiceKey, ...]], tuple[ServiceKey, ...]]) -> int:
    """Put a version in force that changes the services' keys; returns its number."""
    with session(mesh.root, "ga-on", "custodian") as own:
        current = own.governance()
        last = own.governance_source._chain.version(current.version)
        assert last is not None
        changes = {
            "version": current.version + 1,
            "previous": governance.digest(last.document),
            "issued": own.now_ms(),
            "services": services(current.services),
        }
    document = strict_json.dump(current.model_copy(update=changes).to_json())
    Governance.from_bytes(document)
    path = mesh.root / "next.json"
    write_private(path, document, replace=True)
    garim(mesh, "governance", "propose", str(path), "--as", "custodian/ga-on")
    for person in ("ga-on", "na-rae"):
        garim(mesh, "governance", "approve", governance.digest(document), "--as", f"custodian/{person}")
    return current.version + 1


def garim(mesh: LiveMesh, *arguments: str) -> str:
    done = CliRunner().invoke(app, [*arguments, "--mesh", str(mesh.root)])
    assert done.exit_code == 0, done.output
    return done.stdout


def governed_by(mesh: LiveMesh, version: int) -> bool:
    told = CliRunner().invoke(app, ["doctor", "--mesh", str(mesh.root), "--json"]).stdout
    lines = [one["what"] for one in json.loads(told)["findings"] if one["check"] == "governance"]
    return any(line.startswith(f"{version} at") for line in lines)


@pytest.mark.parametrize("service", ["warrants", "custody"])
def test_a_statement_key_is_replaced_while_the_former_one_still_counts(mesh: LiveMesh, service: str) -> None:
    chosen = mesh.store_sample()
    before = mesh.granted(mesh.document([("account", chosen.subject)], chosen.period))
    key = Ed25519PrivateKey.generate()
    public = key_text(key.public_key().public_bytes_raw())
    added = ServiceKey.from_json({"service": service, "instance": f"{service}-next", "key": public})
    with Traffic(mesh.root) as traffic:
        version = decide(mesh, lambda keys: (*keys, added))
        until(lambda: governed_by(mesh, version))
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_private(mesh.places.service(service) / "statement.key", pem, replace=True)
        stop(mesh.processes, service)
        mesh.up()
        until_serving(mesh.file, service)
        # What the former key signed counts still.
        dossier = insist(lambda: mesh.build(before))
        assert dossier
        version = decide(
            mesh, lambda keys: tuple(one for one in keys if (one.service, one.instance) != (service, service))
        )
        until(lambda: governed_by(mesh, version))
        after = mesh.granted(mesh.document([("account", chosen.subject)], chosen.period))
        assert insist(lambda: mesh.build(after))
    assert (traffic.failed, traffic.acknowledged) == ([], traffic.put)
    told = CliRunner().invoke(app, ["doctor", str(mesh.places.settings(service))])
    assert told.exit_code == 0, told.output
