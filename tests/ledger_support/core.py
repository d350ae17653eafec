"""The audit service's core behind the same face as the fake, without a network."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.api.audit.v1 import audit_pb2 as pb
from garim.audit.service import TransparencyLog
from garim.audit.servicer import AuditLogServicer
from garim.kit.clock import Clock
from garim.kit.db import Database
from garim.translog.keys import Signer
from kit_support.engines import open_database
from ledger_support.mesh import MESH, ORIGIN


def open_log_database(path: Path) -> Database:
    return open_database(path, "audit")


def open_log(
    database: Database,
    key: Ed25519PrivateKey,
    genesis: str,
    clock: Clock,
    wait_for: tuple[str, ...] = (),
) -> TransparencyLog:
    return TransparencyLog(
        database,
        Signer.of_private_key(ORIGIN, key),
        mesh=MESH,
        genesis=bytes.fromhex(genesis),
        clock=clock,
        wait_for=wait_for,
    )


class CertifiedContext:
    """As much of a call's context as says who calls."""

    def __init__(self, spiffe_id: str) -> None:
        uri = [spiffe_id.encode()]
        self._auth = {"peer_uri": uri, "peer_spiffe_id": uri}

    def auth_context(self) -> dict[str, list[bytes]]:
        return self._auth


class CoreCaller:
    """The log as one caller's stub, straight to the servicer."""

    def __init__(self, log: TransparencyLog, actor: str) -> None:
        self._servicer = AuditLogServicer(log, MESH)
        self._context = cast("grpc.ServicerContext", CertifiedContext(actor))

    def AppendEntry(self, request: pb.AppendEntryRequest, /) -> pb.AppendEntryResponse:  # noqa: N802 - the RPC's name
        return self._servicer.AppendEntry(request, self._context)

    def GetCheckpoint(self, request: pb.GetCheckpointRequest, /) -> pb.GetCheckpointResponse:  # noqa: N802 - as above
        return self._servicer.GetCheckpoint(request, self._context)

    def GetInclusionProof(  # noqa: N802 - as above
        self, request: pb.GetInclusionProofRequest, /
    ) -> pb.GetInclusionProofResponse:
        return self._servicer.GetInclusionProof(request, self._context)

    def GetConsistencyProof(  # noqa: N802 - as above
        self, request: pb.GetConsistencyProofRequest, /
    ) -> pb.GetConsistencyProofResponse:
        return self._servicer.GetConsistencyProof(request, self._context)

    def ListEntries(self, request: pb.ListEntriesRequest, /) -> pb.ListEntriesResponse:  # noqa: N802 - as above
        return self._servicer.ListEntries(request, self._context)
