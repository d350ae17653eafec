"""Proto to domain and back: one method an RPC, nothing else."""

from __future__ import annotations

from collections.abc import Callable

import grpc

from garim.api.common.v1 import statement_pb2
from garim.api.warrants.v1 import warrants_pb2 as pb
from garim.api.warrants.v1.warrants_pb2_grpc import WarrantsServiceServicer
from garim.kit.convert import document_from, document_to, envelope_from, envelope_to, logged_to
from garim.kit.identity import Peer, peer_of
from garim.warrants.cases import UNDECIDED, Case, Reason, State
from garim.warrants.service import Shown, Warrants

_STATES = {
    State.GRANTED: pb.CASE_STATE_GRANTED,
    State.NO_DATA: pb.CASE_STATE_NO_DATA,
    State.REFUSED: pb.CASE_STATE_REFUSED,
    State.CANCELLED: pb.CASE_STATE_CANCELLED,
}
_WANTED = {
    pb.CASE_STATE_UNSPECIFIED: frozenset(State),
    pb.CASE_STATE_IN_REVIEW: UNDECIDED,
    **{proto: frozenset({state}) for state, proto in _STATES.items()},
}


class WarrantsServicer(WarrantsServiceServicer):
    """The RPCs of warrants.

    Args:
        service: The use cases.
        mesh: Name of the mesh, for the caller's identity.
        peer: Returns who calls; the certificate of the connection says so.
    """

    def __init__(
        self,
        service: Warrants,
        mesh: str,
        peer: Callable[[grpc.ServicerContext, str], Peer] = peer_of,
    ) -> None:
        self._service = service
        self._mesh = mesh
        self._peer = peer

    def SubmitDocument(  # noqa: N802 - the name of the RPC
        self, request: pb.SubmitDocumentRequest, context: grpc.ServicerContext
    ) -> pb.SubmitDocumentResponse:
        """Take in an official document."""
        done = self._service.submit(document_from(request.document), self._peer(context, self._mesh))
        if done.case is None:
            return pb.SubmitDocumentResponse(state=pb.CASE_STATE_REFUSED, reasons=_reasons(done.reasons))
        return pb.SubmitDocumentResponse(
            case_id=done.case.id,
            state=state_of(done.case),
            reasons=_reasons(done.reasons),
            no_data=_no_data(done.case),
            unmask_request_id=done.case.request,
        )

    def GetCase(  # noqa: N802 - the name of the RPC
        self, request: pb.GetCaseRequest, context: grpc.ServicerContext
    ) -> pb.GetCaseResponse:
        """Return a case."""
        shown = self._service.show(request.case_id)
        answer = _public(shown)
        peer = self._peer(context, self._mesh)
        if peer.matches("service/redaction") or peer.matches("person/reviewer"):
            _add_confidential(answer, shown)
        return answer

    def ListCases(  # noqa: N802 - the name of the RPC
        self,
        request: pb.ListCasesRequest,
        context: grpc.ServicerContext,  # noqa: ARG002 - gRPC gives every method a context
    ) -> pb.ListCasesResponse:
        """List cases, newest first."""
        wanted = _WANTED.get(request.state, frozenset())
        cases, token = self._service.page(wanted, request.page_size, request.page_token)
        return pb.ListCasesResponse(cases=[_summary(one) for one in cases], next_page_token=token)

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


def state_of(case: Case) -> pb.CaseState.ValueType:
    """Return a case's state as people see it: whatever is not decided for good is in review."""
    return _STATES.get(case.state, pb.CASE_STATE_IN_REVIEW)


def _public(shown: Shown) -> pb.GetCaseResponse:
    case = shown.case
    answer = pb.GetCaseResponse(
        summary=_summary(case),
        document=document_to(case.document),
        cancel_subject=bytes.fromhex(shown.cancel_subject),
        refusal_reasons=_reasons(case.refusal),
    )
    if case.statement is not None and case.state is State.GRANTED:
        answer.grant.CopyFrom(logged_to(case.statement.statement, case.statement.proof))
    return answer


def _add_confidential(answer: pb.GetCaseResponse, shown: Shown) -> None:
    """Add what rests on stored data, and who decided what."""
    case = shown.case
    if case.forecast is not None:
        answer.forecast.CopyFrom(envelope_to(case.forecast))
    answer.review_subject = bytes.fromhex(shown.review_subject)
    answer.decisions.extend(envelope_to(one.envelope) for one in case.decisions)
    answer.review_reasons.extend(_reasons(case.remarks))


def _summary(case: Case) -> pb.CaseSummary:
    return pb.CaseSummary(
        case_id=case.id,
        kind=case.kind,
        state=state_of(case),
        authority=case.identity.authority,
        number=case.identity.number,
        case_number=case.identity.case_number,
        document_digest=bytes.fromhex(case.identity.digest),
        received_at_ms=case.received_ms,
        unmask_request_id=case.request,
    )


def _no_data(case: Case) -> statement_pb2.Envelope | None:
    if case.state is not State.NO_DATA or case.statement is None:
        return None
    return envelope_to(case.statement.statement)


def _reasons(reasons: tuple[Reason, ...]) -> list[statement_pb2.Reason]:
    return [statement_pb2.Reason(reason=one.reason, field=one.field, message=one.message) for one in reasons]
