"""What warrants answers, as protobuf: who may see what is decided here."""

from __future__ import annotations

from collections.abc import Iterable

from garim.api.common.v1 import statement_pb2
from garim.api.warrants.v1 import warrants_pb2 as pb
from garim.documents.claims import Disclosure
from garim.kit.convert import document_to, envelope_to, logged_to
from garim.warrants.casebook import RegisterLine
from garim.warrants.cases import Case, Delivery, Event, Reason, RefusedDocument
from garim.warrants.duties import DueItem, Standing, tells_of_review
from garim.warrants.machine import GRANTED, TRANSITIONS, UNDECIDED, State
from garim.warrants.service import Shown

_STATES = {
    **dict.fromkeys(GRANTED, pb.CASE_STATE_GRANTED),
    State.NO_DATA: pb.CASE_STATE_NO_DATA,
    State.REFUSED: pb.CASE_STATE_REFUSED,
    State.CANCELLED: pb.CASE_STATE_CANCELLED,
}
WANTED = {
    pb.CASE_STATE_UNSPECIFIED: frozenset(State),
    pb.CASE_STATE_IN_REVIEW: UNDECIDED,
    **{
        proto: frozenset(state for state in _STATES if _STATES[state] == proto)
        for proto in set(_STATES.values())
    },
}
_STANDINGS = {
    Standing.OPEN: pb.DUE_STANDING_OPEN,
    Standing.OVERDUE: pb.DUE_STANDING_OVERDUE,
    Standing.DEFERRED: pb.DUE_STANDING_DEFERRED,
    Standing.DONE: pb.DUE_STANDING_DONE,
    Standing.ENDS: pb.DUE_STANDING_ENDS,
}
DECIDED = "decided"
"""The cause shown where the true one rests on stored data, which reviewers alone may know."""


def state_of(case: Case) -> pb.CaseState.ValueType:
    """Return a case's state as people see it: whatever is not decided for good is in review."""
    return _STATES.get(case.state, pb.CASE_STATE_IN_REVIEW)


def public(shown: Shown) -> pb.GetCaseResponse:
    """Return a case as everybody who may ask sees it."""
    case = shown.case
    answer = pb.GetCaseResponse(
        summary=summary(case),
        document=document_to(case.document),
        cancel_subject=bytes.fromhex(shown.cancel_subject),
        refusal_reasons=reasons_to(case.refusal),
    )
    if case.statement is not None and case.state in GRANTED:
        answer.grant.CopyFrom(logged_to(case.statement.statement, case.statement.proof))
    return answer


def add_confidential(answer: pb.GetCaseResponse, shown: Shown) -> None:
    """Add what rests on stored data, and who decided what."""
    case = shown.case
    if case.forecast is not None:
        answer.forecast.CopyFrom(envelope_to(case.forecast))
    answer.review_subject = bytes.fromhex(shown.review_subject)
    answer.decisions.extend(envelope_to(one.envelope) for one in case.decisions)
    answer.review_reasons.extend(reasons_to(case.remarks))


def summary(case: Case) -> pb.CaseSummary:
    """Return a case in short."""
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
        stage=stage_of(case),
    )


def no_data(case: Case) -> statement_pb2.Envelope | None:
    """Return the signed answer that there is nothing, where that is the answer."""
    if case.state is not State.NO_DATA or case.statement is None:
        return None
    return envelope_to(case.statement.statement)


def reasons_to(reasons: tuple[Reason, ...]) -> list[statement_pb2.Reason]:
    """Return reasons."""
    return [statement_pb2.Reason(reason=one.reason, field=one.field, message=one.message) for one in reasons]


def stage_of(case: Case) -> str:
    """Return where a case stands as everybody may see it; how a decision comes about is the reviewers'."""
    return _stage(case.state)


def _stage(state: State) -> str:
    return State.IN_REVIEW.value if state in UNDECIDED else state.value


def timeline_to(case: Case, due: Iterable[DueItem], *, confidential: bool) -> pb.GetCaseTimelineResponse:
    """Return a case's timeline.

    Args:
        case: The case.
        due: What is due in it.
        confidential: Whether the caller is a reviewer, who may know what rests on stored data.
    """
    answer = pb.GetCaseTimelineResponse(
        summary=summary(case),
        events=_events(case.events, confidential=confidential),
        due_items=[due_to(one) for one in due if confidential or not tells_of_review(one)],
        refusal_reasons=reasons_to(case.refusal),
    )
    if case.statement is not None:
        answer.answer.CopyFrom(logged_to(case.statement.statement, case.statement.proof))
    if case.delivery is not None:
        answer.delivery.CopyFrom(_delivery(case.delivery))
    return answer


def _events(events: Iterable[Event], *, confidential: bool) -> list[pb.CaseEvent]:
    shown = []
    for one in events:
        hidden = TRANSITIONS[one.cause].confidential and not confidential
        if hidden and one.state in UNDECIDED:
            continue
        shown.append(
            pb.CaseEvent(
                at_ms=one.at_ms,
                cause=DECIDED if hidden else one.cause.value,
                stage=one.state.value if confidential else _stage(one.state),
                who="" if hidden else one.who,
            )
        )
    return shown


def _delivery(known: Delivery) -> pb.CaseDelivery:
    stated = known.stated
    return pb.CaseDelivery(
        dossier_id=bytes.fromhex(stated.dossier),
        package_digest=bytes.fromhex(stated.package),
        receipt=logged_to(known.receipt.statement, known.receipt.proof),
        delivered_at_ms=known.delivered_ms or 0,
        delivered_index=known.delivered_index or 0,
        acknowledged_at_ms=known.acknowledged_ms or 0,
    )


def refused_to(refused: RefusedDocument) -> pb.GetCaseTimelineResponse:
    """Return the timeline of a document that was refused before it opened a case."""
    event = pb.CaseEvent(
        at_ms=refused.received_ms, cause="refused-at-intake", stage=State.REFUSED.value, who=refused.who
    )
    return pb.GetCaseTimelineResponse(
        summary=pb.CaseSummary(
            case_id=refused.id,
            state=pb.CASE_STATE_REFUSED,
            stage=State.REFUSED.value,
            received_at_ms=refused.received_ms,
        ),
        events=[event],
        refusal_reasons=reasons_to(refused.reasons),
        content_digest=bytes.fromhex(refused.content),
    )


def due_to(item: DueItem) -> pb.DueItem:
    """Return a due item."""
    shown = pb.DueItem(
        case_id=item.case,
        number=item.number,
        item=item.item,
        standing=_STANDINGS[item.standing],
        due_at_ms=item.due_ms,
        basis=item.basis,
    )
    if item.settled is not None:
        shown.settled_at_ms = item.settled.at_ms
        shown.who, shown.reason, shown.ground = item.settled.who, item.settled.reason, item.settled.ground
    return shown


def line_to(line: RegisterLine) -> pb.RegisterLine:
    """Return a line of the register."""
    received = line.received
    if isinstance(received, RefusedDocument):
        return pb.RegisterLine(
            case_id=received.id,
            stage=State.REFUSED.value,
            received_at_ms=received.received_ms,
            decided_at_ms=line.decided_ms or 0,
            refusal_reasons=[one.reason for one in received.reasons],
        )
    claims = received.claims
    return pb.RegisterLine(
        case_id=received.id,
        kind=received.kind,
        authority=claims.authority,
        court=claims.court,
        number=claims.number,
        offence=claims.offence if isinstance(claims, Disclosure) else "",
        warrant_type=claims.warrant_type if isinstance(claims, Disclosure) else "",
        stage=stage_of(received),
        issued_at_ms=claims.issued_ms,
        received_at_ms=received.received_ms,
        decided_at_ms=line.decided_ms or 0,
        delivered_at_ms=(received.delivery.delivered_ms or 0) if received.delivery else 0,
        subjects=line.subjects,
        messages=line.messages,
        identities=line.identities,
        pseudonyms=line.pseudonyms,
        unmask_request_id=received.request,
        refusal_reasons=[one.reason for one in received.refusal],
    )
