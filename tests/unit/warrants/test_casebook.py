"""Who may know what of a case, and what the register holds."""

from __future__ import annotations

import hashlib
import json

import pytest

from garim.api.warrants.v1 import warrants_pb2 as pb
from garim.kit.convert import logged_to, proof_to
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.warrants.cases import Case
from warrants_support.calls import Call
from warrants_support.desk import CLERK, Desk, person, reviewer
from warrants_support.steps import PACKAGE, Others

AUDITOR = person("auditor", "ha-neul")
REDACTION = person("redaction", "nobody")
OPERATOR = person("operator", "na-bi")
REVIEWER = reviewer("ra-on")


@pytest.fixture
def call(desk: Desk) -> Call:
    return Call(desk)


def timeline(call: Call, case: bytes, peer: object = CLERK) -> pb.GetCaseTimelineResponse:
    answer = call.by(peer, "GetCaseTimeline", pb.GetCaseTimelineRequest(case_id=case))  # type: ignore[arg-type] - as given
    assert isinstance(answer, pb.GetCaseTimelineResponse)
    return answer


def causes(answer: pb.GetCaseTimelineResponse) -> list[str]:
    return [one.cause for one in answer.events]


def in_review(desk: Desk) -> Case:
    desk.messages.changes = {"bystanders": 200}
    return desk.open_case(desk.disclosure())


def test_clerks_and_auditors_do_not_see_how_a_refusal_came_about(desk: Desk, call: Call) -> None:
    """Over the budget, denied and lapsed look alike: what rests on stored data is the reviewers'."""
    desk.messages.changes = {"bystanders": 6_000}
    over = desk.open_case(desk.disclosure())
    desk.messages.changes = {"bystanders": 200}
    denied = desk.open_case(desk.disclosure(number="2026-압수-0002"))
    for name in ("ra-on", "sol-bi"):
        desk.warrants.decide(denied.id, desk.review(denied, name, "review-deny"), reviewer(name))
    for peer in (CLERK, AUDITOR):
        shown = [timeline(call, one.id, peer) for one in (over, denied)]
        assert [causes(one) for one in shown] == [["accepted", "decided"]] * 2
        assert [[one.who for one in answer.events] for answer in shown] == [["person/clerk/da-on", ""]] * 2
        assert [[one.reason for one in answer.refusal_reasons] for answer in shown] == [["SCOPE_REFUSED"]] * 2
        assert [len(answer.due_items) for answer in shown] == [0, 0]
        # What differs between them is which case it is and when, nothing else.
        for answer in shown:
            answer.summary.ClearField("case_id")
            answer.summary.ClearField("number")
            answer.summary.ClearField("document_digest")
        assert shown[0] == shown[1]
    assert causes(timeline(call, over.id, REVIEWER)) == ["accepted", "over-budget"]
    assert causes(timeline(call, denied.id, REVIEWER)) == ["accepted", "review-asked", "review-denied"]


def test_an_undecided_case_looks_the_same_wherever_it_stands(desk: Desk, call: Call) -> None:
    case = in_review(desk)
    answer = timeline(call, case.id)
    assert (answer.summary.stage, causes(answer)) == ("in-review", ["accepted"])
    assert [one.stage for one in answer.events] == ["in-review"]
    assert [one.item for one in answer.due_items] == ["review"]


def test_that_a_decided_case_was_reviewed_is_for_reviewers_alone(desk: Desk, call: Call) -> None:
    case = in_review(desk)
    for name in ("ra-on", "sol-bi"):
        desk.warrants.decide(case.id, desk.review(case, name, "review-deny"), reviewer(name))
    request = pb.ListDueItemsRequest(with_done=True)
    for peer in (CLERK, AUDITOR, OPERATOR):
        assert not call.by(peer, "ListDueItems", request).items
    assert [one.item for one in call.by(REVIEWER, "ListDueItems", request).items] == ["review"]
    assert [one.item for one in timeline(call, case.id, REVIEWER).due_items] == ["review"]


def test_a_delivered_cases_timeline_holds_what_a_certificate_needs(
    call: Call, others: Others, granted: Case
) -> None:
    case = others.delivered(granted)
    assert case.delivery is not None
    answer = timeline(call, granted.id)
    delivery = answer.delivery
    assert delivery.package_digest.hex() == PACKAGE
    assert delivery.delivered_at_ms == case.delivery.delivered_ms
    assert delivery.delivered_index == case.delivery.delivered_index
    assert delivery.receipt == logged_to(*case.delivery.receipt)
    assert answer.answer.statement.payload
    assert answer.summary.stage == "delivered"


def test_steps_come_by_the_rpc_one_at_a_time(call: Call, others: Others, granted: Case) -> None:
    receipt = others.receipt(granted)
    body, entry = others.delivery()
    request = pb.RecordStepRequest(case_id=granted.id, closed=logged_to(*receipt))
    call.by(REDACTION, "RecordStep", request)
    request = pb.RecordStepRequest(case_id=granted.id)
    request.delivered.body = body
    request.delivered.proof.CopyFrom(proof_to(entry.proof))
    call.by(REDACTION, "RecordStep", request)
    request = pb.RecordStepRequest(case_id=granted.id, acknowledged=others.acknowledgement())
    call.by(REDACTION, "RecordStep", request)
    assert timeline(call, granted.id).summary.stage == "acknowledged"
    for nothing in (pb.RecordStepRequest(), pb.RecordStepRequest(preserved=False)):
        nothing.case_id = granted.id
        with pytest.raises(RefusedError) as refused:
            call.by(REDACTION, "RecordStep", nothing)
        assert refused.value.reason == "STEP_MISSING"


def test_a_document_refused_at_intake_has_a_record_without_what_it_claims(desk: Desk, call: Call) -> None:
    content = desk.disclosure(offence="jaywalking", case_number="2026형제55555")
    answer = call.submit(content)
    assert len(answer.refusal_id) == 16
    shown = timeline(call, answer.refusal_id)
    assert shown.content_digest == hashlib.sha256(content).digest()
    assert [one.reason for one in shown.refusal_reasons] == ["OFFENCE_NOT_LISTED"]
    assert (shown.summary.stage, causes(shown)) == ("refused", ["refused-at-intake"])
    assert "55555" not in str(shown)
    again = call.submit(content)
    assert again.refusal_id != answer.refusal_id
    with pytest.raises(RefusedError) as refused:
        timeline(call, b"0" * 16)
    assert refused.value.reason == "CASE_UNKNOWN"


def test_operators_see_and_settle_what_is_due(desk: Desk, call: Call, granted: Case) -> None:
    shown = call.by(OPERATOR, "ListDueItems", pb.ListDueItemsRequest())
    (item,) = shown.items
    assert (item.case_id, item.item, item.standing) == (granted.id, "participation", pb.DUE_STANDING_OPEN)
    request = pb.SettleDueItemRequest(case_id=granted.id, item="participation", reason="참여함")
    settled = call.by(OPERATOR, "SettleDueItem", request).item
    assert (settled.standing, settled.who) == (pb.DUE_STANDING_DONE, "person/operator/na-bi")
    assert not call.by(OPERATOR, "ListDueItems", pb.ListDueItemsRequest()).items
    assert len(call.by(OPERATOR, "ListDueItems", pb.ListDueItemsRequest(with_done=True)).items) == 1


def lines(call: Call, desk: Desk, **limits: int) -> list[pb.RegisterLine]:
    now_ms = desk.operator.clock.now_ms()
    request = pb.ListRegisterRequest(from_ms=now_ms - 1_000_000, to_ms=now_ms + 1, **limits)
    return list(call.by(AUDITOR, "ListRegister", request).lines)


def test_the_register_rounds_what_was_handed_over_and_names_nobody(
    desk: Desk, call: Call, others: Others, granted: Case
) -> None:
    others.delivered(granted)
    content, sealed = desk.supplementary(granted, issued_at=documents.common(desk.pki)["issued_at"])
    desk.operator.clock.advance(1_000)
    second = desk.open_case(content, sealed)
    first, other = lines(call, desk)
    assert (first.messages, first.identities, first.subjects) == (1000, 50, 1)
    assert (first.number, first.stage, first.offence) == ("2026-압수-0001", "delivered", "drugs")
    assert first.delivered_at_ms
    assert first.decided_at_ms == granted.received_ms
    assert (other.case_id, other.pseudonyms, other.unmask_request_id) == (second.id, 1, second.request)
    assert "subject-1" not in str(first) + str(other)
    assert "da-on" not in str(first) + str(other)


def test_the_register_tells_no_amount_of_what_was_not_handed_over(
    desk: Desk, call: Call, others: Others, granted: Case
) -> None:
    desk.warrants.handling.closed(granted.id, others.receipt(granted))
    (line,) = lines(call, desk)
    assert (line.messages, line.identities, line.delivered_at_ms) == (0, 0, 0)


def test_the_register_has_refusals_too_in_order_and_in_pages(desk: Desk, call: Call) -> None:
    call.submit(desk.disclosure(offence="jaywalking"))
    desk.operator.clock.advance(1_000)
    desk.open_case(desk.disclosure())
    desk.operator.clock.advance(1_000)
    call.submit(desk.disclosure(offence="jaywalking", number="2026-압수-0003"))
    assert [one.stage for one in lines(call, desk)] == ["refused", "granted", "refused"]
    now_ms = desk.operator.clock.now_ms()
    request = pb.ListRegisterRequest(from_ms=now_ms - 1_000_000, to_ms=now_ms + 1, page_size=2)
    first = call.by(AUDITOR, "ListRegister", request)
    request.page_token = first.next_page_token
    second = call.by(AUDITOR, "ListRegister", request)
    assert (len(first.lines), len(second.lines), second.next_page_token) == (2, 1, "")
    assert list(second.lines[0].refusal_reasons) == ["OFFENCE_NOT_LISTED"]
    with pytest.raises(RefusedError) as refused:
        call.by(AUDITOR, "ListRegister", pb.ListRegisterRequest(from_ms=2, to_ms=2))
    assert refused.value.reason == "REGISTER_PERIOD"


def test_what_is_counted_of_transitions_holds_nothing_but_names_of_the_table(desk: Desk) -> None:
    told: list[str] = []
    desk.tables._watch = lambda case, event: told.append(
        json.dumps([case.hex(), event.cause.value, event.state.value])
    )
    case = desk.open_case(desk.disclosure())
    assert [json.loads(one)[1:] for one in told] == [
        ["accepted", "received"],
        ["scope-allowed", "granting"],
        ["grant-logged", "granted"],
    ]
    assert {json.loads(one)[0] for one in told} == {case.id.hex()}
