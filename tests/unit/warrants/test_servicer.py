from __future__ import annotations

import pytest

from garim.api.warrants.v1 import warrants_pb2 as pb
from garim.kit.convert import envelope_to
from garim.kit.identity import parse_spiffe_id
from garim.statements.cases import NoData
from garim.testing.operator import MESH
from warrants_support.calls import Call
from warrants_support.desk import CLERK, Desk, person, reviewer

REDACTION = parse_spiffe_id(f"spiffe://{MESH}/service/redaction", MESH)
AUDITOR = person("auditor", "ha-neul")


@pytest.fixture
def call(desk: Desk) -> Call:
    return Call(desk)


def test_a_refusal_is_an_answer_with_all_its_reasons(desk: Desk, call: Call) -> None:
    answer = call.submit(desk.disclosure(offence="jaywalking", subjects=[]))
    assert answer.state == pb.CASE_STATE_REFUSED
    assert answer.case_id == b""
    assert [(one.reason, one.field) for one in answer.reasons] == [
        ("OFFENCE_NOT_LISTED", "offence"),
        ("SUBJECTS_MISSING", "subjects"),
    ]
    assert all(one.message for one in answer.reasons)


def test_no_data_answers_with_the_signed_statement_and_nothing_else(desk: Desk, call: Call) -> None:
    desk.messages.changes = {"messages": 0, "conversations": 0}
    answer = call.submit(desk.disclosure())
    assert answer.state == pb.CASE_STATE_NO_DATA
    assert NoData.from_bytes(answer.no_data.payload).case == answer.case_id.hex()
    assert not answer.reasons


def test_forecast_decisions_and_remarks_are_for_reviewers_and_redaction_only(desk: Desk, call: Call) -> None:
    desk.messages.changes = {"bystanders": 200}
    case_id = call.submit(desk.disclosure()).case_id
    request = pb.GetCaseRequest(case_id=case_id)
    for peer in (CLERK, AUDITOR):
        shown = call.by(peer, "GetCase", request)
        assert not shown.HasField("forecast")
        assert (shown.review_subject, list(shown.decisions), list(shown.review_reasons)) == (b"", [], [])
        assert shown.document.content
        assert len(shown.cancel_subject) == 32
    for peer in (reviewer("ra-on"), REDACTION):
        shown = call.by(peer, "GetCase", request)
        assert shown.HasField("forecast")
        assert len(shown.review_subject) == 32
        assert [one.reason for one in shown.review_reasons] == ["BYSTANDERS"]


def test_a_review_through_the_api_ends_in_a_case_with_grant_and_decisions(desk: Desk, call: Call) -> None:
    desk.messages.changes = {"bystanders": 200}
    case_id = call.submit(desk.disclosure()).case_id
    subject = call.by(reviewer("ra-on"), "GetCase", pb.GetCaseRequest(case_id=case_id)).review_subject.hex()
    for name, state, approvals in (
        ("ra-on", pb.CASE_STATE_IN_REVIEW, 1),
        ("sol-bi", pb.CASE_STATE_GRANTED, 2),
    ):
        decision = envelope_to(desk.operator.decision(name, "review-approve", subject))
        answer = call.by(
            reviewer(name), "DecideReview", pb.DecideReviewRequest(case_id=case_id, decision=decision)
        )
        assert (answer.state, answer.approvals, answer.needed) == (state, approvals, 2)
    shown = call.by(REDACTION, "GetCase", pb.GetCaseRequest(case_id=case_id))
    assert shown.HasField("grant")
    assert len(shown.decisions) == 2


def test_a_cancelled_case_shows_no_grant(desk: Desk, call: Call) -> None:
    answer = call.submit(desk.disclosure())
    assert answer.state == pb.CASE_STATE_GRANTED
    case = desk.tables.by_id(answer.case_id)
    assert case is not None
    request = pb.CancelCaseRequest(case_id=case.id, decision=envelope_to(desk.cancel(case)))
    assert call.by(reviewer("ra-on"), "CancelCase", request).state == pb.CASE_STATE_CANCELLED
    shown = call.by(REDACTION, "GetCase", pb.GetCaseRequest(case_id=case.id))
    assert shown.summary.state == pb.CASE_STATE_CANCELLED
    assert not shown.HasField("grant")


def test_cases_are_listed_in_short(desk: Desk, call: Call) -> None:
    answer = call.submit(desk.disclosure())
    listed = call.by(AUDITOR, "ListCases", pb.ListCasesRequest())
    (summary,) = listed.cases
    assert summary.case_id == answer.case_id
    assert (summary.kind, summary.state) == ("disclosure", pb.CASE_STATE_GRANTED)
    assert summary.received_at_ms == desk.operator.clock.now_ms()
    for state, count in (
        (pb.CASE_STATE_IN_REVIEW, 0),
        (pb.CASE_STATE_GRANTED, 1),
        (pb.CASE_STATE_REFUSED, 0),
    ):
        assert len(call.by(AUDITOR, "ListCases", pb.ListCasesRequest(state=state)).cases) == count
    unknown = pb.ListCasesRequest()
    unknown.state = 99  # type: ignore[assignment]
    assert not call.by(AUDITOR, "ListCases", unknown).cases


def test_a_status_travels_as_a_signed_envelope(desk: Desk, call: Call) -> None:
    case = desk.tables.by_id(call.submit(desk.disclosure()).case_id)
    assert case is not None
    request = pb.GetCaseStatusRequest(document_digest=bytes.fromhex(case.identity.digest), nonce=bytes(32))
    answer = call.by(REDACTION, "GetCaseStatus", request)
    assert answer.status.payload_type == "application/vnd.garim.case-status.v1+json"
