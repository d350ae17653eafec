"""A store in a process of its own, with stand-ins for custody and audit, all over real mutual TLS."""

from __future__ import annotations

import functools
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import grpc
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import garim
from garim.api.audit.v1 import audit_pb2_grpc
from garim.api.custody.v1 import custody_pb2, custody_pb2_grpc
from garim.api.messages.v1 import messages_pb2 as pb
from garim.api.messages.v1.messages_pb2_grpc import MessageStoreServiceStub
from garim.kit.channel import PeerChannel
from garim.kit.clock import SystemClock
from garim.kit.convert import envelope_to
from garim.kit.db import Database
from garim.kit.identity import peer_of, service_id
from garim.kit.ledger import Ledger, tables
from garim.kit.server import MeshServer
from garim.kit.settings import ServiceSettings, load_settings
from garim.kit.telemetry import Telemetry
from garim.kit.tls import Rotation, TlsFiles
from garim.sdk import GarimStore, TlsPaths
from garim.sealing.write_secret import SealedWriteSecret
from garim.statements import dsse
from garim.testing.audit import FakeAudit
from garim.testing.governance import DAY_MS
from kit_support.authority import Authority
from messages_support.custody import FakeCustody
from messages_support.store import MESH, ORIGIN, STORE, StoreGovernance

START_S = 30
SOURCES = Path(garim.__file__).parents[1]


class CustodyStandIn(custody_pb2_grpc.CustodyServiceServicer):
    def __init__(self, custody: FakeCustody, governance: StoreGovernance) -> None:
        self._custody = custody
        self._governance = governance

    def GetEpoch(self, request: Any, context: grpc.ServicerContext) -> custody_pb2.GetEpochResponse:  # noqa: N802 - the RPC's name
        return custody_pb2.GetEpochResponse(
            epochs=[
                custody_pb2.Epoch(
                    epoch_id=one.epoch,
                    not_before_ms=one.not_before,
                    not_after_ms=one.not_after,
                    public_key=one.public_key,
                    index_key=bytes(one.index_key.buffer),
                )
                for one in self._custody.ask()
            ]
        )

    def GetGovernance(self, request: Any, context: grpc.ServicerContext) -> custody_pb2.GetGovernanceResponse:  # noqa: N802 - the RPC's name
        return custody_pb2.GetGovernanceResponse(
            versions=[
                custody_pb2.GovernanceVersion(
                    document=one.document, decisions=[envelope_to(made) for made in one.decisions]
                )
                for one in self._governance.versions
            ]
        )


class AuditStandIn(audit_pb2_grpc.AuditLogServiceServicer):
    def __init__(self, audit: FakeAudit) -> None:
        self._audit = audit

    def AppendEntry(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - the RPC's name
        return self._audit.append(peer_of(context, MESH).id, request)

    def GetCheckpoint(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - the RPC's name
        return self._audit.checkpoint(peer_of(context, MESH).id, request)

    def GetInclusionProof(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - the RPC's name
        return self._audit.inclusion(peer_of(context, MESH).id, request)

    def GetConsistencyProof(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - the RPC's name
        return self._audit.consistency(peer_of(context, MESH).id, request)


class ServedStore:
    """The store's process and its surroundings.

    Args:
        folder: Where everything lies.
        epoch_ms: Length of an epoch.
        more: Further settings of the store.
    """

    def __init__(self, folder: Path, *, epoch_ms: int = DAY_MS, more: str = "") -> None:
        self.folder = folder
        self.clock = SystemClock()
        self.telemetry = Telemetry("test", self.clock, stream=io.StringIO())
        self.authority = Authority(folder / "pki", MESH)
        self.custody = FakeCustody(MESH, self.clock, epoch_ms=epoch_ms)
        log_key = Ed25519PrivateKey.generate()
        self.audit = FakeAudit(MESH, ORIGIN, self.clock, key=log_key)
        self.governance = StoreGovernance(
            MESH,
            log_key,
            ORIGIN,
            self.clock.now_ms(),
            custody_key=self.custody.key,
            epoch_ms=max(epoch_ms, 60_000),
        )
        self._begin_log()
        self._servers = {
            "custody": self._serve(
                "custody",
                functools.partial(
                    custody_pb2_grpc.add_CustodyServiceServicer_to_server,
                    CustodyStandIn(self.custody, self.governance),
                ),
            ),
            "audit": self._serve(
                "audit",
                functools.partial(
                    audit_pb2_grpc.add_AuditLogServiceServicer_to_server, AuditStandIn(self.audit)
                ),
            ),
        }
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.address = f"127.0.0.1:{self.port}"
        self.settings = self._write_settings(more)
        self._channels: list[PeerChannel] = []
        self.process = self.start()

    @property
    def database(self) -> Path:
        return self.folder / "messages.db"

    def start(self) -> subprocess.Popen[str]:
        """Start the store, or start it again, and wait until it listens."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "garim.messages", str(self.settings)],
            env={**os.environ, "PYTHONPATH": str(SOURCES)},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        listening = threading.Event()
        stream = self.process.stderr
        assert stream is not None

        def follow() -> None:
            with stream:
                for line in stream:
                    self.lines.append(line)
                    if '"event": "listening"' in line:
                        listening.set()
            listening.set()

        self._follower = threading.Thread(target=follow, daemon=True)
        self._follower.start()
        assert listening.wait(START_S), self.lines
        assert self.process.poll() is None, self.lines
        return self.process

    def kill(self) -> None:
        """Kill the store as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._follower.join()

    def stop(self) -> int:
        """Ask the store to end and return its exit code."""
        self.process.terminate()
        code = self.process.wait(30)
        self._follower.join()
        return code

    def backend(self, name: str = "chat-1", timeout_s: float = 10.0) -> GarimStore:
        files = self.authority.issue(f"backend/{name}")
        tls = TlsPaths(files.certificate, files.key, files.trust)
        return GarimStore(self.address, mesh=MESH, tls=tls, timeout_s=timeout_s)

    def stub(self, files: TlsFiles) -> MessageStoreServiceStub:
        rotation = Rotation(files, MESH, self.clock, self.telemetry)
        channel = PeerChannel(rotation, "messages", self.address, clock=self.clock, telemetry=self.telemetry)
        self._channels.append(channel)
        return MessageStoreServiceStub(channel)

    def read(self, ticket: dsse.Envelope) -> list[pb.ChatMessage]:
        """Read and open all that a ticket matches, as custody and redaction together could."""
        stub = self.stub(self.authority.service("redaction"))
        request = pb.ReadSegmentsRequest(ticket=envelope_to(ticket), **{"pass": pb.READ_PASS_SEGMENTS})  # type: ignore[arg-type] # a keyword as field name
        secrets: dict[bytes, SealedWriteSecret] = {}
        found: list[pb.ChatMessage] = []
        for item in stub.ReadSegments(request):
            if item.HasField("write_secret"):
                one = item.write_secret
                kept = SealedWriteSecret(one.record, one.signature, one.sealed)
                secrets[kept.id] = kept
            elif item.HasField("segment"):
                header = item.segment.header
                found += self.custody.read_segment(secrets[header[21:53]], header, item.segment.ciphertext)
        return found

    def logged(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.lines if line.startswith("{")]
        return [line for line in lines if line.get("event") == event]

    def close(self) -> None:
        for channel in self._channels:
            channel.close()
        if self.process.poll() is None:
            self.kill()
        for server in self._servers.values():
            server.drain()

    def _serve(self, service: str, register: Any) -> MeshServer:
        files = self.authority.service(service)
        path = self.folder / f"{service}.toml"
        path.write_text(self._common(files))
        settings = load_settings(path, ServiceSettings)
        server = MeshServer(settings, [register], clock=self.clock, telemetry=self.telemetry)
        server.start()
        return server

    def _common(self, files: TlsFiles, listen: str = "127.0.0.1:0", top: str = "") -> str:
        return f"""
mesh = "{MESH}"
governance_genesis = "{self.governance.genesis}"
listen = "{listen}"
health_listen = "127.0.0.1:0"
drain_s = 2
{top}
[tls]
certificate = "{files.certificate}"
key = "{files.key}"
trust = "{files.trust}"
"""

    def _write_settings(self, more: str) -> Path:
        key = self.folder / "store.key"
        key.touch(mode=0o600)
        key.write_bytes(
            self.governance.store_key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        path = self.folder / "messages.toml"
        files = self.authority.service("messages")
        top = f'store = "{STORE}"\nstatement_key = "store.key"\nclock_settle_s = 0\n{more}'
        peers = "\n".join(f'{name} = "127.0.0.1:{server.port}"' for name, server in self._servers.items())
        path.write_text(
            self._common(files, self.address, top) + f'[database]\npath = "messages.db"\n[peers]\n{peers}\n'
        )
        return path

    def _begin_log(self) -> None:
        database = Database(self.folder / "custody.db")
        with database.writing() as connection:
            tables.create_all(connection)
        actor = service_id(MESH, "custody")
        Ledger(
            self.audit.as_caller(actor),
            governance=self.governance,
            actor=actor,
            database=database,
            clock=self.clock,
            random_bytes=os.urandom,
        ).begin(self.governance.versions[0].document)
        database.close()


def until(condition: Any, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
