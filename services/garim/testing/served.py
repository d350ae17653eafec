"""The fakes behind RPCs, to be served over mutual TLS to a service under test."""

from __future__ import annotations

import grpc

from garim.api.audit.v1 import audit_pb2
from garim.api.audit.v1.audit_pb2_grpc import AuditLogServiceServicer
from garim.api.common.v1 import statement_pb2
from garim.api.custody.v1 import custody_pb2
from garim.api.custody.v1.custody_pb2_grpc import CustodyServiceServicer
from garim.api.messages.v1 import messages_pb2
from garim.api.messages.v1.messages_pb2_grpc import MessageStoreServiceServicer
from garim.kit.convert import document_from, envelope_from, envelope_to, logged_from, proof_to
from garim.kit.governance import Version
from garim.kit.identity import peer_of
from garim.testing.audit import FakeAudit
from garim.testing.operator import FakeCustody, FakeMessages, SampleOperator


class ServedAudit(AuditLogServiceServicer):
    """`FakeAudit` as a service; the actor is the TLS peer.

    Args:
        audit: The log.
    """

    def __init__(self, audit: FakeAudit) -> None:
        self._audit = audit

    def AppendEntry(  # noqa: N802 - the RPC's name
        self, request: audit_pb2.AppendEntryRequest, context: grpc.ServicerContext
    ) -> audit_pb2.AppendEntryResponse:
        """Append one entry and prove it."""
        return self._audit.append(self._actor(context), request)

    def GetCheckpoint(  # noqa: N802 - the RPC's name
        self, request: audit_pb2.GetCheckpointRequest, context: grpc.ServicerContext
    ) -> audit_pb2.GetCheckpointResponse:
        """Return the newest checkpoint."""
        return self._audit.checkpoint(self._actor(context), request)

    def GetInclusionProof(  # noqa: N802 - the RPC's name
        self, request: audit_pb2.GetInclusionProofRequest, context: grpc.ServicerContext
    ) -> audit_pb2.GetInclusionProofResponse:
        """Prove that a leaf lies in a tree."""
        return self._audit.inclusion(self._actor(context), request)

    def GetConsistencyProof(  # noqa: N802 - the RPC's name
        self, request: audit_pb2.GetConsistencyProofRequest, context: grpc.ServicerContext
    ) -> audit_pb2.GetConsistencyProofResponse:
        """Prove one tree a prefix of another."""
        return self._audit.consistency(self._actor(context), request)

    def ListEntries(  # noqa: N802 - the RPC's name
        self, request: audit_pb2.ListEntriesRequest, context: grpc.ServicerContext
    ) -> audit_pb2.ListEntriesResponse:
        """List leaves in order."""
        return self._audit.entries(self._actor(context), request)

    def _actor(self, context: grpc.ServicerContext) -> str:
        return peer_of(context, self._audit.mesh).id


class ServedCustody(CustodyServiceServicer):
    """`FakeCustody` and a sample governance as a service; what warrants does not call is not offered.

    Args:
        custody: Answers.
        operator: Whose governance is handed out.
    """

    def __init__(self, custody: FakeCustody, operator: SampleOperator) -> None:
        self._custody = custody
        self._operator = operator

    def SignScopeTicket(  # noqa: N802 - the RPC's name
        self, request: custody_pb2.SignScopeTicketRequest, context: grpc.ServicerContext
    ) -> custody_pb2.SignScopeTicketResponse:
        """Sign a forecast ticket."""
        del context
        ticket = self._custody.forecast_ticket(document_from(request.document))
        return custody_pb2.SignScopeTicketResponse(ticket=envelope_to(ticket))

    def RequestUnmask(  # noqa: N802 - the RPC's name
        self, request: custody_pb2.RequestUnmaskRequest, context: grpc.ServicerContext
    ) -> custody_pb2.RequestUnmaskResponse:
        """Open an unmask request."""
        del context
        grant = logged_from(request.grant, field="grant")
        opened = self._custody.request_unmask(document_from(request.document), grant)
        return custody_pb2.RequestUnmaskResponse(request_id=opened)

    def SubmitRevocation(  # noqa: N802 - the RPC's name
        self, request: custody_pb2.SubmitRevocationRequest, context: grpc.ServicerContext
    ) -> custody_pb2.SubmitRevocationResponse:
        """Take a revocation."""
        del context
        self._custody.submit_revocation(document_from(request.document))
        return custody_pb2.SubmitRevocationResponse()

    def GetGovernance(  # noqa: N802 - the RPC's name
        self, request: custody_pb2.GetGovernanceRequest, context: grpc.ServicerContext
    ) -> custody_pb2.GetGovernanceResponse:
        """Hand out the versions."""
        del context
        versions = self._operator.governance.versions[max(request.from_version, 1) - 1 :]
        return custody_pb2.GetGovernanceResponse(versions=[_version(one) for one in versions])


class ServedMessages(MessageStoreServiceServicer):
    """`FakeMessages` as a service; only forecasts are offered.

    Args:
        messages: Answers.
    """

    def __init__(self, messages: FakeMessages) -> None:
        self._messages = messages

    def ForecastScope(  # noqa: N802 - the RPC's name
        self, request: messages_pb2.ForecastScopeRequest, context: grpc.ServicerContext
    ) -> messages_pb2.ForecastScopeResponse:
        """Forecast."""
        del context
        forecast = self._messages.forecast(envelope_from(request.ticket))
        return messages_pb2.ForecastScopeResponse(forecast=envelope_to(forecast))


def _version(version: Version) -> custody_pb2.GovernanceVersion:
    decisions: list[statement_pb2.Envelope] = [envelope_to(one) for one in version.decisions]
    proof = None if version.proof is None else proof_to(version.proof)
    return custody_pb2.GovernanceVersion(document=version.document, decisions=decisions, proof=proof)
