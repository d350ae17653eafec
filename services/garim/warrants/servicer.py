"""Proto to domain and back: one method an RPC, nothing else."""

from __future__ import annotations

from collections.abc import Callable

import grpc

from garim.api.warrants.v1 import warrants_pb2 as pb
from garim.api.warrants.v1.warrants_pb2_grpc import WarrantsServiceServicer
from garim.kit.convert import document_from, envelope_from, envelope_to, logged_from, proof_from
from garim.kit.identity import Peer, peer_of
from garim.statements.refusal import RefusedError
from garim.warrants.answers import (
    WANTED,
    add_confidential,
    due_to,
    line_to,
    no_data,
    public,
    reasons_to,
    refused_to,
    state_of,
    summary,
    timeline_to,
)
from garim.warrants.cases import Case
from garim.warrants.hi1 import Correspondence
from garim.warrants.service import Warrants


class WarrantsServicer(WarrantsServiceServicer):
    """The RPCs of warrants.

    Args:
        service: The use cases.
        correspondence: Answers HI1 messages.
        mesh: Name of the mesh, for the caller's identity.
        peer: Returns who calls; the certificate of the connection says so.
    """

    def __init__(
        self,
        service: Warrants,
        correspondence: Correspondence,
        mesh: str,
        peer: Callable[[grpc.ServicerContext, str], Peer] = peer_of,
    ) -> None:
        self._service = service
        self._correspondence = correspondence
        self._casebook = service.casebook
        self._handling = service.handling
        self._mesh = mesh
        self._peer = peer

    def SubmitDocument(  # noqa: N802 - the name of the RPC
        self, request: pb.SubmitDocumentRequest, context: grpc.ServicerContext
    ) -> pb.SubmitDocumentResponse:
        """Take in an official document."""
        done = self._service.submit(document_from(request.document), self._peer(context, self._mesh))
        if done.case is None:
            return pb.SubmitDocumentResponse(
                state=pb.CASE_STATE_REFUSED, reasons=reasons_to(done.reasons), refusal_id=done.refusal
            )
        return pb.SubmitDocumentResponse(
            case_id=done.case.id,
            state=state_of(done.case),
            reasons=reasons_to(done.reasons),
            no_data=no_data(done.case),
            unmask_request_id=done.case.request,
        )

    def ExchangeMessage(  # noqa: N802 - the name of the RPC
        self, request: pb.ExchangeMessageRequest, context: grpc.ServicerContext
    ) -> pb.ExchangeMessageResponse:
        """Answer an HI1 message."""
        answer = self._correspondence.answer(request.message, self._peer(context, self._mesh))
        return pb.ExchangeMessageResponse(answer=answer)

    def GetCase(  # noqa: N802 - the name of the RPC
        self, request: pb.GetCaseRequest, context: grpc.ServicerContext
    ) -> pb.GetCaseResponse:
        """Return a case."""
        shown = self._service.show(request.case_id)
        answer = public(shown)
        peer = self._peer(context, self._mesh)
        if peer.matches("service/redaction") or peer.matches("person/reviewer"):
            add_confidential(answer, shown)
        return answer

    def ListCases(  # noqa: N802 - the name of the RPC
        self,
        request: pb.ListCasesRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - gRPC gives every method a context
    ) -> pb.ListCasesResponse:
        """List cases, newest first."""
        wanted = WANTED.get(request.state, frozenset())
        cases, token = self._service.page(wanted, request.page_size, request.page_token)
        return pb.ListCasesResponse(cases=[summary(one) for one in cases], next_page_token=token)

    def DecideReview(  # noqa: N802 - the name of the RPC
        self, request: pb.DecideReviewRequest, context: grpc.ServicerContext
    ) -> pb.DecideReviewResponse:
        """Record a reviewer's decision."""
        peer = self._peer(context, self._mesh)
        done = self._service.decide(request.case_id, envelope_from(request.decision), peer)
        return pb.DecideReviewResponse(
            state=state_of(done.case), approvals=done.approvals, needed=done.needed
        )

    def GetCaseStatus(  # noqa: N802 - the name of the RPC
        self,
        request: pb.GetCaseStatusRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - gRPC gives every method a context
    ) -> pb.GetCaseStatusResponse:
        """State a case's status."""
        status = self._service.status(request.document_digest, request.nonce)
        return pb.GetCaseStatusResponse(status=envelope_to(status))

    def CancelCase(  # noqa: N802 - the name of the RPC
        self, request: pb.CancelCaseRequest, context: grpc.ServicerContext
    ) -> pb.CancelCaseResponse:
        """Cancel a case for good."""
        peer = self._peer(context, self._mesh)
        case = self._service.cancel(request.case_id, envelope_from(request.decision), peer)
        return pb.CancelCaseResponse(state=state_of(case))

    def RecordStep(  # noqa: N802 - the name of the RPC
        self,
        request: pb.RecordStepRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - gRPC gives every method a context
    ) -> pb.RecordStepResponse:
        """Record how far a granted case has come."""
        step = request.WhichOneof("step")
        if step == "closed":
            self._handling.closed(request.case_id, logged_from(request.closed, field="closed"))
        elif step == "delivered":
            proof = proof_from(request.delivered.proof)
            self._handling.delivered(request.case_id, request.delivered.body, proof)
        elif step == "acknowledged":
            self._handling.acknowledged(request.case_id, request.acknowledged)
        elif step == "preserved" and request.preserved:
            self._handling.preserved(request.case_id)
        else:
            raise RefusedError("STEP_MISSING", "say what was done", field="step")
        return pb.RecordStepResponse()

    def GetCaseTimeline(  # noqa: N802 - the name of the RPC
        self, request: pb.GetCaseTimelineRequest, context: grpc.ServicerContext
    ) -> pb.GetCaseTimelineResponse:
        """Return what happened to a case, and what is due."""
        found = self._casebook.record(request.case_id)
        if not isinstance(found, Case):
            return refused_to(found)
        confidential = self._peer(context, self._mesh).matches("person/reviewer")
        return timeline_to(found, self._casebook.due_of(found), confidential=confidential)

    def ListDueItems(  # noqa: N802 - the name of the RPC
        self, request: pb.ListDueItemsRequest, context: grpc.ServicerContext
    ) -> pb.ListDueItemsResponse:
        """List what is due."""
        items, token = self._casebook.due(
            with_done=request.with_done,
            confidential=self._peer(context, self._mesh).matches("person/reviewer"),
            size=request.page_size,
            token=request.page_token,
        )
        return pb.ListDueItemsResponse(items=[due_to(one) for one in items], next_page_token=token)

    def SettleDueItem(  # noqa: N802 - the name of the RPC
        self, request: pb.SettleDueItemRequest, context: grpc.ServicerContext
    ) -> pb.SettleDueItemResponse:
        """Record that a duty is done, or put off."""
        item = self._casebook.settle(
            request.case_id,
            request.item,
            self._peer(context, self._mesh),
            reason=request.reason,
            ground=request.ground,
            until_ms=request.deferred_until_ms or None,
        )
        return pb.SettleDueItemResponse(item=due_to(item))

    def ListRegister(  # noqa: N802 - the name of the RPC
        self,
        request: pb.ListRegisterRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - gRPC gives every method a context
    ) -> pb.ListRegisterResponse:
        """List the register's lines."""
        lines, token = self._casebook.register(
            request.from_ms, request.to_ms, request.page_size, request.page_token
        )
        return pb.ListRegisterResponse(lines=[line_to(one) for one in lines], next_page_token=token)
