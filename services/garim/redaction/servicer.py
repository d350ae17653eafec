"""Proto to domain and back, one method an RPC."""

from __future__ import annotations

from collections.abc import Iterator

import grpc

from garim.api.redaction.v1 import redaction_pb2, redaction_pb2_grpc
from garim.kit.convert import envelope_from
from garim.kit.identity import peer_of
from garim.redaction.builds import Builds
from garim.redaction.delivery import Delivery
from garim.redaction.holds import Holds


class RedactionServicer(redaction_pb2_grpc.RedactionServiceServicer):
    """Serves redaction.

    Args:
        builds: Makes dossiers.
        delivery: Hands them out.
        holds: Keeps held places.
        mesh: Name of the mesh.
    """

    def __init__(self, builds: Builds, delivery: Delivery, holds: Holds, mesh: str) -> None:
        self._builds = builds
        self._delivery = delivery
        self._holds = holds
        self._mesh = mesh

    def BuildDossier(  # noqa: N802 - named as the RPC is
        self, request: redaction_pb2.BuildDossierRequest, context: grpc.ServicerContext
    ) -> Iterator[redaction_pb2.BuildDossierResponse]:
        """Make a dossier and stream its progress."""
        yield from self._builds.build(request.case_id)

    def FetchDossier(  # noqa: N802 - named as the RPC is
        self, request: redaction_pb2.FetchDossierRequest, context: grpc.ServicerContext
    ) -> Iterator[redaction_pb2.FetchDossierResponse]:
        """Deliver the receipt and the package."""
        yield from self._delivery.fetch(request.case_id, request.offset)

    def AcknowledgeDossier(  # noqa: N802 - named as the RPC is
        self, request: redaction_pb2.AcknowledgeDossierRequest, context: grpc.ServicerContext
    ) -> redaction_pb2.AcknowledgeDossierResponse:
        """Record the recipient's acknowledgement."""
        self._delivery.acknowledge(request.case_id, request.acknowledgement)
        return redaction_pb2.AcknowledgeDossierResponse()

    def ListHolds(  # noqa: N802 - named as the RPC is
        self, request: redaction_pb2.ListHoldsRequest, context: grpc.ServicerContext
    ) -> redaction_pb2.ListHoldsResponse:
        """List the places of the last attempt."""
        state = self._holds.state(request.case_id)
        return redaction_pb2.ListHoldsResponse(
            holds=[
                redaction_pb2.Hold(
                    segment_id=bytes.fromhex(one.place.segment),
                    message=one.place.message,
                    start=one.place.start,
                    end=one.place.end,
                    reason=one.reason,
                )
                for one in state.holds
            ],
            lift_subject=bytes.fromhex(state.subject),
            lifts=state.lifts,
            needed=state.needed,
        )

    def DecideHold(  # noqa: N802 - named as the RPC is
        self, request: redaction_pb2.DecideHoldRequest, context: grpc.ServicerContext
    ) -> redaction_pb2.DecideHoldResponse:
        """Record a reviewer's lift."""
        caller = peer_of(context, self._mesh).name
        state = self._holds.lift(request.case_id, envelope_from(request.decision), caller)
        return redaction_pb2.DecideHoldResponse(lifts=state.lifts, needed=state.needed)
