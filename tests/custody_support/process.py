"""Custody as a real process, around fakes that are served over mutual TLS."""

from __future__ import annotations

import datetime as dt
import functools
import io
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import grpc
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from custody_support.vault import MESH, POLICY, CustodyOperator, FakeWarrants, Vault
from garim.api.audit.v1.audit_pb2_grpc import add_AuditLogServiceServicer_to_server
from garim.api.custody.v1.custody_pb2_grpc import CustodyServiceStub
from garim.api.warrants.v1 import warrants_pb2
from garim.api.warrants.v1.warrants_pb2_grpc import (
    WarrantsServiceServicer,
    add_WarrantsServiceServicer_to_server,
)
from garim.kit.channel import PeerChannel
from garim.kit.clock import SystemClock
from garim.kit.convert import envelope_to
from garim.kit.server import MeshServer, Registration
from garim.kit.settings import ServiceSettings, load_settings
from garim.kit.telemetry import Telemetry
from garim.kit.tls import Rotation
from garim.statements import dsse
from garim.testing.pki import make_pki
from garim.testing.served import ServedAudit
from kit_support.authority import Authority
from warrants_support.process import RealTime

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


class ServedStatus(WarrantsServiceServicer):
    """`FakeWarrants` as a service."""

    def __init__(self, warrants: FakeWarrants) -> None:
        self._warrants = warrants

    def GetCaseStatus(  # noqa: N802 - the RPC's name
        self, request: warrants_pb2.GetCaseStatusRequest, context: grpc.ServicerContext
    ) -> warrants_pb2.GetCaseStatusResponse:
        """State a case's status."""
        status = self._warrants.case_status(request.document_digest, request.nonce)
        return warrants_pb2.GetCaseStatusResponse(status=envelope_to(status))


class CustodyMesh:
    """The process, its peers and its callers; `drafts` makes documents and grants for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.operator = CustodyOperator(make_pki(dt.datetime.now(dt.UTC)), clock=RealTime())
        self.authority = Authority(folder / "mesh", MESH)
        drafts = folder / "drafts"
        drafts.mkdir()
        self.drafts = Vault(drafts, self.operator)
        self.telemetry = Telemetry("test", SystemClock(), stream=io.StringIO())
        audit = functools.partial(add_AuditLogServiceServicer_to_server, ServedAudit(self.operator.audit))
        warrants: Any = ServedStatus
        status = functools.partial(add_WarrantsServiceServicer_to_server, warrants(self.drafts.warrants))
        self.servers = {"audit": self._serve("audit", audit), "warrants": self._serve("warrants", status)}
        self.channels: list[PeerChannel] = []
        self.log: list[str] = []
        self._start(self._write_settings())

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
        key = self.operator.keys["custody", "custody"]
        key_file = self.folder / "statement.key"
        key_file.touch(mode=0o600)
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (self.folder / "kr.yaml").write_bytes(POLICY)
        (self.folder / "crls").mkdir()
        for position, crl in enumerate(self.operator.pki.crls):
            (self.folder / "crls" / f"{position}.crl").write_bytes(crl)
        version = self.operator.governance.versions[0]
        (self.folder / "version-1.json").write_bytes(version.document)
        decisions = json.dumps([dsse.to_json(one) for one in version.decisions])
        (self.folder / "decisions-1.json").write_text(decisions)
        peers = "".join(f'{name} = "127.0.0.1:{server.port}"\n' for name, server in self.servers.items())
        path = self.folder / "custody.toml"
        path.write_text(
            self._common()
            + 'statement_key = "statement.key"\npolicy_file = "kr.yaml"\ncrls_folder = "crls"\n'
            + 'governance_folder = "."\n'
            + '[database]\npath = "custody.db"\n[keys]\nkind = "file"\nfolder = "keys"\n'
            + f"[peers]\n{peers}"
            + _TLS.format(files=self.authority.service("custody"))
        )
        return path

    def _start(self, settings: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "garim.custody", str(settings)], stderr=subprocess.PIPE, text=True
        )
        stderr = self.process.stderr
        assert stderr is not None
        for line in stderr:
            self.log.append(line)
            if '"listening"' in line:
                self.port = json.loads(line)["port"]
                break
        else:
            raise AssertionError(f"custody did not start: {self.log}")
        threading.Thread(target=lambda: self.log.extend(stderr), daemon=True).start()

    def stub(self, service: str) -> CustodyServiceStub:
        """Return a stub for a service."""
        rotation = Rotation(self.authority.service(service), MESH, SystemClock(), self.telemetry)
        channel = PeerChannel(
            rotation, "custody", f"127.0.0.1:{self.port}", clock=SystemClock(), telemetry=self.telemetry
        )
        self.channels.append(channel)
        return CustodyServiceStub(channel)

    def close(self) -> None:
        """End the process and its peers."""
        self.process.terminate()
        self.process.wait(30)
        if self.process.stderr is not None:
            self.process.stderr.close()
        for channel in self.channels:
            channel.close()
        for server in self.servers.values():
            server.drain()
        self.drafts.close()
