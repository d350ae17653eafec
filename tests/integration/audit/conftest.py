from __future__ import annotations

import dataclasses
import io
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.api.audit.v1.audit_pb2_grpc import AuditLogServiceStub
from garim.audit.__main__ import wired
from garim.audit.settings import AuditSettings
from garim.kit.channel import PeerChannel
from garim.kit.clock import SystemClock
from garim.kit.db import Database
from garim.kit.identity import service_id
from garim.kit.ledger import Ledger
from garim.kit.retries import Retries
from garim.kit.server import MeshServer
from garim.kit.settings import load_settings
from garim.kit.telemetry import Telemetry
from garim.kit.tls import Rotation, TlsFiles
from garim.testing.governance import SampleGovernance
from kit_support.authority import Authority
from ledger_support.mesh import ORIGIN, open_database


@dataclasses.dataclass
class AuditMesh:
    """A served audit service, and whoever calls it."""

    folder: Path
    authority: Authority
    settings: AuditSettings
    governance: SampleGovernance
    telemetry: Telemetry
    channels: list[PeerChannel] = dataclasses.field(default_factory=list)
    databases: dict[str, Database] = dataclasses.field(default_factory=dict)

    def stub(self, files: TlsFiles) -> AuditLogServiceStub:
        clock = SystemClock()
        rotation = Rotation(files, self.authority.mesh, clock, self.telemetry)
        address = f"127.0.0.1:{self.server.port}"
        channel = PeerChannel(
            rotation,
            "audit",
            address,
            clock=clock,
            telemetry=self.telemetry,
            retries=Retries(sleep=lambda _seconds: None),
        )
        self.channels.append(channel)
        return AuditLogServiceStub(channel)

    def ledger(self, service: str) -> Ledger:
        if service not in self.databases:
            self.databases[service] = open_database(self.folder / f"{service}.db")
        return Ledger(
            self.stub(self.authority.service(service)),
            governance=self.governance,
            actor=service_id(self.authority.mesh, service),
            database=self.databases[service],
            clock=SystemClock(),
            random_bytes=secrets.token_bytes,
        )

    def start(self) -> None:
        self._wiring = wired(self.settings)
        self.server: MeshServer = self._wiring.__enter__()
        self.server.start()

    def stop(self) -> None:
        self.server.drain()
        self._wiring.__exit__(None, None, None)

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        for channel in self.channels:
            channel.close()
        for database in self.databases.values():
            database.close()
        self.stop()


def write_settings(folder: Path, authority: Authority, genesis: str, key: Ed25519PrivateKey) -> Path:
    files = authority.service("audit")
    key_file = folder / "checkpoint.key"
    key_file.touch(mode=0o600)
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    path = folder / "audit.toml"
    path.write_text(
        f"""
mesh = "{authority.mesh}"
governance_genesis = "{genesis}"
listen = "127.0.0.1:0"
health_listen = "127.0.0.1:0"
workers = 4
drain_s = 5

[tls]
certificate = "{files.certificate}"
key = "{files.key}"
trust = "{files.trust}"

[log]
origin = "{ORIGIN}"
key = "checkpoint.key"
wait_for = ["custody", "warrants"]

[database]
path = "audit.db"
"""
    )
    return path


@pytest.fixture
def audit_mesh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AuditMesh]:
    # The test's own process serves: what hardening does to it would outlive the test.
    monkeypatch.setattr("garim.kit.process.harden_process", lambda: None)
    authority = Authority(tmp_path / "pki")
    key = Ed25519PrivateKey.generate()
    governance = SampleGovernance(authority.mesh, key, ORIGIN, SystemClock().now_ms())
    settings = load_settings(write_settings(tmp_path, authority, governance.genesis, key), AuditSettings)
    telemetry = Telemetry("audit", SystemClock(), stream=io.StringIO(), strict=True)
    mesh = AuditMesh(tmp_path, authority, settings, governance, telemetry)
    mesh.start()
    yield mesh
    mesh.close()
