"""RPCs of people about custody itself: revocation, freeze and thaw, status, governance."""

# ruff: noqa: N802, ARG002 - names and arguments are the generated base class's

from __future__ import annotations

import dataclasses

import grpc

from garim.api.custody.v1 import custody_pb2 as pb
from garim.api.custody.v1 import custody_pb2_grpc
from garim.custody.core import Core
from garim.custody.freezing import Freezing, reason_of
from garim.custody.genesis import OwnGovernance
from garim.custody.governing import BeginLog, Governing
from garim.custody.revoking import Revoking
from garim.custody.tables import counting, stopping
from garim.kit.convert import document_from, envelope_from, envelope_to, proof_to
from garim.kit.identity import peer_of


@dataclasses.dataclass(frozen=True, slots=True)
class PeopleUseCases:
    """The use cases behind these RPCs."""

    core: Core
    revoking: Revoking
    freezing: Freezing
    governing: Governing

    @classmethod
    def of(cls, core: Core, own: OwnGovernance, begin: BeginLog) -> PeopleUseCases:
        """Return all of them over the same means.

        Args:
            core: Custody's means.
            own: Custody's governance chain.
            begin: Logs the first leaf of a log; see `Governing`.
        """
        return cls(core, Revoking(core), Freezing(core), Governing(core, own, begin))


class PeopleRpcs(custody_pb2_grpc.CustodyServiceServicer):
    """Proto to domain and back, one method an RPC.

    Args:
        people_use_cases: What is called.
    """

    def __init__(self, people_use_cases: PeopleUseCases) -> None:
        self._core = people_use_cases.core
        self._revoking = people_use_cases.revoking
        self._freezing = people_use_cases.freezing
        self._governing = people_use_cases.governing

    def SubmitRevocation(
        self,
        request: pb.SubmitRevocationRequest,
        context: grpc.ServicerContext,
    ) -> pb.SubmitRevocationResponse:
        """Take in a revocation."""
        self._revoking.revoke(document_from(request.document))
        return pb.SubmitRevocationResponse()

    def Freeze(self, request: pb.FreezeRequest, context: grpc.ServicerContext) -> pb.FreezeResponse:
        """Freeze at once."""
        caller = peer_of(context, self._core.mesh).name
        freeze_id = self._freezing.freeze(envelope_from(request.decision), caller)
        return pb.FreezeResponse(freeze_id=bytes.fromhex(freeze_id))

    def Thaw(self, request: pb.ThawRequest, context: grpc.ServicerContext) -> pb.ThawResponse:
        """Record a decision to thaw."""
        caller = peer_of(context, self._core.mesh).name
        frozen, approvals, needed = self._freezing.thaw(envelope_from(request.decision), caller)
        return pb.ThawResponse(frozen=frozen, approvals=approvals, needed=needed)

    def GetCustodyStatus(
        self,
        request: pb.GetCustodyStatusRequest,
        context: grpc.ServicerContext,
    ) -> pb.GetCustodyStatusResponse:
        """Say how custody stands, in numbers."""
        with self._core.database.reading() as connection:
            freeze = stopping.freeze_in_force(connection)
            reason = "" if freeze is None else reason_of(connection, freeze)
            held = counting.held(connection)
        return pb.GetCustodyStatusResponse(
            freeze_id=b"" if freeze is None else bytes.fromhex(freeze.id),
            freeze_reason=reason,
            governance_version=self._core.governance.current().version,
            epochs=held.epochs,
            dossiers=held.dossiers,
            pending_requests=held.pending_requests,
            preservations=held.preservations,
        )

    def ProposeGovernance(
        self,
        request: pb.ProposeGovernanceRequest,
        context: grpc.ServicerContext,
    ) -> pb.ProposeGovernanceResponse:
        """Keep a proposal."""
        digest = self._governing.propose(request.document)
        return pb.ProposeGovernanceResponse(digest=bytes.fromhex(digest))

    def DecideGovernance(
        self, request: pb.DecideGovernanceRequest, context: grpc.ServicerContext
    ) -> pb.DecideGovernanceResponse:
        """Record a decision on a proposal."""
        caller = peer_of(context, self._core.mesh).name
        approvals, needed = self._governing.decide(
            request.digest.hex(), envelope_from(request.decision), caller
        )
        version = self._core.governance.current().version
        return pb.DecideGovernanceResponse(version=version, approvals=approvals, needed=needed)

    def GetGovernance(
        self,
        request: pb.GetGovernanceRequest,
        context: grpc.ServicerContext,
    ) -> pb.GetGovernanceResponse:
        """Return the versions in force so far, and proposals."""
        answer = pb.GetGovernanceResponse()
        for version in self._governing.versions(request.from_version):
            added = answer.versions.add(
                document=version.document, decisions=[envelope_to(one) for one in version.decisions]
            )
            if version.proof is not None:
                added.proof.CopyFrom(proof_to(version.proof))
        for proposal in self._governing.proposals():
            answer.proposals.add(
                document=proposal.document, decisions=[envelope_to(one) for one in proposal.decisions]
            )
        return answer
