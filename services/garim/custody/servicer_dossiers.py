"""RPCs of storage and of the first request: epochs, tickets, dossier keys, releases, closing."""

# ruff: noqa: N802, ARG002 - names and arguments are the generated base class's

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import grpc

from garim.api.custody.v1 import custody_pb2 as pb
from garim.api.custody.v1 import custody_pb2_grpc
from garim.api.messages.v1 import messages_pb2
from garim.custody.closing import Closing, Finished
from garim.custody.core import Core
from garim.custody.dossiers import Dossiers
from garim.custody.epochs import Epochs
from garim.custody.preservation import PreservationOrders
from garim.custody.releases import Records, Releases
from garim.custody.tickets import Tickets
from garim.kit.convert import document_from, envelope_from, envelope_to, logged_from, logged_to
from garim.kit.identity import peer_of
from garim.sealing.write_secret import SealedWriteSecret
from garim.statements.dsse import Envelope
from garim.statements.refusal import Kind, RefusedError

_PURPOSES = {
    pb.TICKET_PURPOSE_FORECAST: "warrants",
    pb.TICKET_PURPOSE_READ: "redaction",
    pb.TICKET_PURPOSE_PRESERVE: "redaction",
}
"""Which service asks for which ticket."""


@dataclasses.dataclass(frozen=True, slots=True)
class DossierUseCases:
    """The use cases behind these RPCs."""

    epochs: Epochs
    tickets: Tickets
    dossiers: Dossiers
    releases: Releases
    orders: PreservationOrders
    closing: Closing

    @classmethod
    def of(cls, core: Core) -> DossierUseCases:
        """Return all of them over the same means."""
        return cls(
            Epochs(core),
            Tickets(core),
            Dossiers(core),
            Releases(core),
            PreservationOrders(core),
            Closing(core),
        )


class DossierRpcs(custody_pb2_grpc.CustodyServiceServicer):
    """Proto to domain and back, one method an RPC.

    Args:
        mesh: Name of the mesh.
        dossier_use_cases: What is called.
    """

    def __init__(self, mesh: str, dossier_use_cases: DossierUseCases) -> None:
        self._mesh = mesh
        self._use = dossier_use_cases

    def GetEpoch(self, request: pb.GetEpochRequest, context: grpc.ServicerContext) -> pb.GetEpochResponse:
        """Return the current and the next epoch."""
        answer = pb.GetEpochResponse()
        for epoch in self._use.epochs.current_and_next():
            with self._use.epochs.open_index(epoch) as index:
                answer.epochs.add(
                    epoch_id=bytes.fromhex(epoch.id),
                    not_before_ms=epoch.not_before_ms,
                    not_after_ms=epoch.not_after_ms,
                    public_key=epoch.public_key,
                    index_key=bytes(index.buffer),
                )
        return answer

    def SignScopeTicket(
        self, request: pb.SignScopeTicketRequest, context: grpc.ServicerContext
    ) -> pb.SignScopeTicketResponse:
        """Sign a document's blinded tags for one purpose."""
        if _PURPOSES.get(request.purpose) != peer_of(context, self._mesh).name:
            raise RefusedError(
                "TICKET_PURPOSE", "this service asks for no such ticket", kind=Kind.FORBIDDEN, field="purpose"
            )
        return pb.SignScopeTicketResponse(ticket=envelope_to(self._ticket(request)))

    def _ticket(self, request: pb.SignScopeTicketRequest) -> Envelope:
        document = document_from(request.document)
        if request.purpose == pb.TICKET_PURPOSE_FORECAST:
            return self._use.tickets.forecast(document)
        grant = logged_from(request.grant, field="grant")
        if request.purpose == pb.TICKET_PURPOSE_READ:
            return self._use.tickets.read(document, grant)
        return self._use.tickets.preserve(document, grant)

    def CreateDossierKey(
        self, request: pb.CreateDossierKeyRequest, context: grpc.ServicerContext
    ) -> pb.CreateDossierKeyResponse:
        """Make a dossier's key."""
        dossier = self._use.dossiers.create_key(
            document_from(request.document),
            logged_from(request.grant, field="grant"),
            envelope_from(request.forecast),
            [envelope_from(one) for one in request.decisions],
        )
        return pb.CreateDossierKeyResponse(
            dossier_id=bytes.fromhex(dossier.id), public_key=dossier.public_key or b""
        )

    def ReleaseSegmentKeys(
        self, request: pb.ReleaseSegmentKeysRequest, context: grpc.ServicerContext
    ) -> pb.ReleaseSegmentKeysResponse:
        """Release keys, all or none."""
        records = _records(request.write_secrets, request.rosters, request.headers)
        sealed = self._use.releases.release(request.dossier_id, request.attempt_public_key, records)
        return pb.ReleaseSegmentKeysResponse(sealed_keys=sealed)

    def PreserveSegments(
        self, request: pb.PreserveSegmentsRequest, context: grpc.ServicerContext
    ) -> pb.PreserveSegmentsResponse:
        """Keep keys under a preservation order."""
        records = _records(request.write_secrets, request.rosters, request.headers)
        grant = logged_from(request.grant, field="grant")
        segments = self._use.orders.preserve(document_from(request.document), grant, records)
        return pb.PreserveSegmentsResponse(segments=segments)

    def CloseDossier(
        self, request: pb.CloseDossierRequest, context: grpc.ServicerContext
    ) -> pb.CloseDossierResponse:
        """Close a dossier."""
        finished = Finished(
            sealed_secret=request.sealed_secret,
            package=request.package_digest,
            package_bytes=request.package_bytes,
            identities_root=request.identities_root,
            identities=request.identities,
            messages_root=request.messages_root,
            messages=request.messages,
        )
        receipt = self._use.closing.close(request.dossier_id, finished)
        return pb.CloseDossierResponse(receipt=logged_to(receipt.statement, receipt.proof))


def _records(
    secrets: Iterable[messages_pb2.WriteSecret], rosters: Iterable[bytes], headers: Iterable[bytes]
) -> Records:
    kept = [SealedWriteSecret(one.record, one.signature, one.sealed) for one in secrets]
    return Records(kept, list(rosters), list(headers))
