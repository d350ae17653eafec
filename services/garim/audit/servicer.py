"""Proto to domain and back; one method an RPC."""

from __future__ import annotations

import grpc

from garim.api.audit.v1 import audit_pb2 as pb
from garim.api.audit.v1 import audit_pb2_grpc
from garim.audit.service import Entry, TransparencyLog
from garim.kit.convert import pin_from
from garim.kit.identity import peer_of
from garim.statements.refusal import Kind, RefusedError


class AuditLogServicer(audit_pb2_grpc.AuditLogServiceServicer):
    """Serves the log.

    Args:
        log: The log.
        mesh: The mesh whose identities are accepted.
    """

    def __init__(self, log: TransparencyLog, mesh: str) -> None:
        self._log = log
        self._mesh = mesh

    def AppendEntry(  # noqa: N802 - the RPC's name
        self, request: pb.AppendEntryRequest, context: grpc.ServicerContext
    ) -> pb.AppendEntryResponse:
        """Append one entry and prove it."""
        peer = peer_of(context, self._mesh)
        if peer.kind != "service":
            raise RefusedError("LOG_ACTOR", "only services append", kind=Kind.FORBIDDEN)
        entry = Entry(
            request.type,
            request.commitment,
            request.time_ms,
            dict(request.magnitudes),
            request.sealed or None,
        )
        appended = self._log.append(peer.id, entry, pin_from(request.pin))
        return pb.AppendEntryResponse(
            leaf=appended.leaf,
            index=appended.index,
            path=appended.path,
            checkpoint=appended.checkpoint,
            consistency=appended.consistency,
        )

    def GetCheckpoint(  # noqa: N802 - the RPC's name
        self, request: pb.GetCheckpointRequest, context: grpc.ServicerContext
    ) -> pb.GetCheckpointResponse:
        """Return the newest checkpoint."""
        checkpoint, path = self._log.newest(self._caller(context), pin_from(request.pin))
        return pb.GetCheckpointResponse(checkpoint=checkpoint, consistency=path)

    def GetInclusionProof(  # noqa: N802 - the RPC's name
        self, request: pb.GetInclusionProofRequest, context: grpc.ServicerContext
    ) -> pb.GetInclusionProofResponse:
        """Prove that a leaf lies in a tree."""
        pin = pin_from(request.pin)
        leaf, path = self._log.inclusion(self._caller(context), pin, request.index, request.size)
        return pb.GetInclusionProofResponse(leaf=leaf, path=path)

    def GetConsistencyProof(  # noqa: N802 - the RPC's name
        self, request: pb.GetConsistencyProofRequest, context: grpc.ServicerContext
    ) -> pb.GetConsistencyProofResponse:
        """Prove one tree a prefix of another."""
        pin = pin_from(request.pin)
        path = self._log.consistency(self._caller(context), pin, request.old_size, request.new_size)
        return pb.GetConsistencyProofResponse(path=path)

    def ListEntries(  # noqa: N802 - the RPC's name
        self, request: pb.ListEntriesRequest, context: grpc.ServicerContext
    ) -> pb.ListEntriesResponse:
        """List leaves in order."""
        pin = pin_from(request.pin)
        leaves = self._log.entries(self._caller(context), pin, request.start, request.page_size)
        return pb.ListEntriesResponse(leaves=leaves, next_start=request.start + len(leaves))

    def _caller(self, context: grpc.ServicerContext) -> str:
        return peer_of(context, self._mesh).id
