"""Warrants as a real process, around fakes that are served over mutual TLS."""

from __future__ import annotations

import datetime as dt
import functools
import io
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import grpc
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from grpc_health.v1 import health_pb2, health_pb2_grpc

from garim.api.audit.v1.audit_pb2_grpc import add_AuditLogServiceServicer_to_server
from garim.api.common.v1 import statement_pb2
from garim.api.custody.v1.custody_pb2_grpc import add_CustodyServiceServicer_to_server
from garim.api.messages.v1.messages_pb2_grpc import add_MessageStoreServiceServicer_to_server
from garim.api.warrants.v1 import warrants_pb2 as pb
from garim.api.warrants.v1.warrants_pb2_grpc import WarrantsServiceStub
from garim.documents.media_types import JWS_MEDIA_TYPE
from garim.kit.channel import PeerChannel
from garim.kit.clock import SystemClock
from garim.kit.server import MeshServer, Registration
from garim.kit.settings import ServiceSettings, load_settings
from garim.kit.telemetry import Telemetry
from garim.kit.tls import Rotation, TlsFiles
from garim.testing.clock import ManualClock
from garim.testing.operator import MESH, FakeCustody, FakeMessages, SampleOperator
from garim.testing.pki import make_pki
from garim.testing.served import ServedAudit, ServedCustody, ServedMessages
from kit_support.authority import Authority
from warrants_support.desk import POLICY

_COMMON = """
mesh = "{mesh}"
governance_genesis = "{genesis}"
listen = "127.0.0.1:0"
health_listen = "127.0.0.1:0"
workers = 8
drain_s = 2
"""
_TLS = """
[tls]
certificate = "{files.certificate}"
key = "{files.key}"
trust = "{files.trust}"
"""


class RealTime(ManualClock):
    """The clocks of the operating system, where a test would move a clock by hand."""

    def now_ms(self) -> int:
        return SystemClock().now_ms()

    def monotonic_ms(self) -> int:
        return SystemClock().monotonic_ms()


class WarrantsMesh:
    """The process, its peers and its callers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.operator = SampleOperator(make_pki(dt.datetime.now(dt.UTC)), POLICY, clock=RealTime())
        self.authority = Authority(folder / "mesh", MESH)
        self.custody = FakeCustody(self.operator)
        self.messages = FakeMessages(self.operator)
        self.telemetry = Telemetry("test", SystemClock(), stream=io.StringIO())
        self.servers = {
            "audit": self._serve(
                "audit",
                functools.partial(add_AuditLogServiceServicer_to_server, ServedAudit(self.operator.audit)),
            ),
            "custody": self._serve(
                "custody",
                functools.partial(
                    add_CustodyServiceServicer_to_server, ServedCustody(self.custody, self.operator)
                ),
            ),
            "messages": self._serve(
                "messages",
                functools.partial(add_MessageStoreServiceServicer_to_server, ServedMessages(self.messages)),
            ),
        }
        self.channels: list[PeerChannel] = []
        self.settings = self._write_settings()
        self.process: subprocess.Popen[str] | None = None
        self.log: list[dict[str, Any]] = []
        self.start()

    def _common(self) -> str:
        return _COMMON.format(mesh=MESH, genesis=self.operator.governance.genesis)

    def _serve(self, service: str, register: Registration) -> MeshServer:
        path = self.folder / f"{service}.toml"
        path.write_text(self._common() + _TLS.format(files=self.authority.service(service)))
        settings = load_settings(path, ServiceSettings)
        server = MeshServer(settings, [register], clock=SystemClock(), telemetry=self.telemetry)
        server.start()
        return server

    def _write_settings(self) -> Path:
        key = self.operator.keys["warrants", "warrants"]
        key_file = self.folder / "statement.key"
        key_file.touch(mode=0o600)
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (self.folder / "kr.yaml").write_bytes(POLICY)
        (self.folder / "crls").mkdir()
        for position, crl in enumerate(self.operator.pki.crls):
            (self.folder / "crls" / f"{position}.crl").write_bytes(crl)
        peers = "".join(f'{name} = "127.0.0.1:{server.port}"\n' for name, server in self.servers.items())
        path = self.folder / "warrants.toml"
        path.write_text(
            self._common()
            + 'statement_key = "statement.key"\npolicy_file = "kr.yaml"\ncrls_folder = "crls"\n'
            + '[database]\npath = "warrants.db"\n'
            + f"[peers]\n{peers}"
            + _TLS.format(files=self.authority.service("warrants"))
        )
        return path

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "garim.warrants", str(self.settings)],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        stderr = self.process.stderr
        assert stderr is not None
        for line in stderr:
            entry = self._logged(line)
            if entry.get("event") == "listening":
                self.port, self.health_port = entry["port"], entry["health_port"]
                break
        else:
            raise AssertionError(f"warrants did not start: {self.log}")
        threading.Thread(target=lambda: [self._logged(line) for line in stderr], daemon=True).start()

    def _logged(self, line: str) -> dict[str, Any]:
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            entry = {"text": line}
        self.log.append(entry)
        return dict(entry)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self._reap()

    def _reap(self) -> int:
        assert self.process is not None
        code = self.process.wait(30)
        if self.process.stderr is not None:
            self.process.stderr.close()
        self.process = None
        return code

    def stub(self, path: str) -> WarrantsServiceStub:
        """Return a stub for the identity with this SPIFFE path."""
        kind, _, name = path.partition("/")
        files: TlsFiles = self.authority.service(name) if kind == "service" else self.authority.issue(path)
        clock = SystemClock()
        rotation = Rotation(files, MESH, clock, self.telemetry)
        channel = PeerChannel(
            rotation, "warrants", f"127.0.0.1:{self.port}", clock=clock, telemetry=self.telemetry
        )
        self.channels.append(channel)
        return WarrantsServiceStub(channel)

    def submit(self, content: bytes, attachments: tuple[bytes, ...] = ()) -> pb.SubmitDocumentResponse:
        document = statement_pb2.Document(media_type=JWS_MEDIA_TYPE, content=content, attachments=attachments)
        return self.stub("person/clerk/da-on").SubmitDocument(pb.SubmitDocumentRequest(document=document))

    def serving(self) -> bool:
        with grpc.insecure_channel(f"127.0.0.1:{self.health_port}") as channel:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def wait_serving(self, wanted: bool = True) -> None:
        until = time.monotonic() + 15
        while self.serving() is not wanted:
            assert time.monotonic() < until, self.log
            time.sleep(0.1)

    def entries(self, kind: str) -> int:
        return sum(f'"type":"{kind}"'.encode() in leaf for leaf in self.operator.audit.leaves)

    def close(self) -> None:
        if self.process is not None:
            self.kill()
        for channel in self.channels:
            channel.close()
        for server in self.servers.values():
            server.drain()
