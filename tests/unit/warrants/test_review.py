from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.statements import subjects
from garim.statements.decisions import Decision
from garim.statements.dsse import Envelope
from garim.statements.refusal import RefusedError
from garim.testing.governance import DAY_MS, HOUR_MS
from garim.warrants.cases import Case, KeptDecision
from garim.warrants.machine import State
from garim.warrants.reviews import APPROVE, Ballot
from warrants_support.desk import CLERK, Desk, person, reviewer


@pytest.fixture
def waiting(desk: Desk) -> Case:
    desk.messages.changes = {"bystanders": 200}
    return desk.open_case(desk.disclosure())


def refused(call: Callable[..., object], *arguments: Any) -> str:
    with pytest.raises(RefusedError) as caught:
        call(*arguments)
    return caught.value.reason


def decide(desk: Desk, case: Case, envelope: Envelope, name: str) -> State:
    return desk.warrants.decide(case.id, envelope, reviewer(name)).case.state


def state_of(desk: Desk, case: Case) -> State:
    found = desk.tables.by_id(case.id)
    assert found is not None
    return found.state


def test_the_quorums_approval_issues_the_grant_after_each_approval_is_logged(
    desk: Desk, waiting: Case
) -> None:
    first = desk.warrants.decide(waiting.id, desk.review(waiting, "ra-on"), reviewer("ra-on"))
    assert (first.case.state, first.approvals, first.needed) == (State.IN_REVIEW, 1, 2)
    second = desk.warrants.decide(waiting.id, desk.review(waiting, "sol-bi"), reviewer("sol-bi"))
    assert (second.case.state, second.approvals) == (State.GRANTED, 2)
    kinds = [leaf.type for leaf in desk.leaves()]
    assert kinds == ["genesis", "review", "review", "disclosure-granted"]
    assert [one.person for one in second.case.decisions] == ["ra-on", "sol-bi"]


def test_an_approval_counts_only_once_it_is_in_the_log(desk: Desk, waiting: Case) -> None:
    approval = desk.review(waiting, "ra-on")
    desk.operator.audit.misbehaviour.silent = True
    assert refused(desk.warrants.decide, waiting.id, approval, reviewer("ra-on")) == "LOG_UNAVAILABLE"
    found = desk.tables.by_id(waiting.id)
    assert found is not None
    assert found.decisions == ()
    desk.operator.audit.misbehaviour.silent = False
    assert desk.warrants.decide(waiting.id, approval, reviewer("ra-on")).approvals == 1


def test_denials_act_while_the_log_is_silent_and_end_the_case_when_no_quorum_is_left(
    desk: Desk, waiting: Case
) -> None:
    desk.operator.audit.misbehaviour.silent = True
    denial = desk.review(waiting, "ra-on", "review-deny")
    assert decide(desk, waiting, denial, "ra-on") is State.IN_REVIEW
    other = desk.review(waiting, "sol-bi", "review-deny")
    done = desk.warrants.decide(waiting.id, other, reviewer("sol-bi")).case
    assert done.state is State.REFUSED
    assert [one.reason for one in done.refusal] == ["SCOPE_REFUSED"]
    desk.operator.audit.misbehaviour.silent = False
    assert [leaf.type for leaf in desk.leaves()][1:] == ["review", "review", "document-refused"]


def test_a_denial_is_no_approval(desk: Desk, waiting: Case) -> None:
    decide(desk, waiting, desk.review(waiting, "ra-on", "review-deny"), "ra-on")
    done = desk.warrants.decide(waiting.id, desk.review(waiting, "sol-bi"), reviewer("sol-bi"))
    assert (done.case.state, done.approvals) == (State.IN_REVIEW, 1)
    assert decide(desk, waiting, desk.review(waiting, "yeo-reum"), "yeo-reum") is State.GRANTED


def test_a_kept_decision_counts_for_its_own_subject_only(desk: Desk, waiting: Case) -> None:
    envelope = desk.review(waiting, "ra-on")
    kept = [KeptDecision(hashlib.sha256(envelope.payload).hexdigest(), "ra-on", envelope)]
    now_ms = desk.operator.clock.now_ms()
    governance = desk.operator.governance.current()
    assert Ballot(governance, _subject(envelope), now_ms).people(kept, APPROVE) == {"ra-on"}
    assert Ballot(governance, "00" * 32, now_ms).people(kept, APPROVE) == set()


def test_the_same_decision_again_changes_nothing(desk: Desk, waiting: Case) -> None:
    approval = desk.review(waiting, "ra-on")
    for _ in range(2):
        done = desk.warrants.decide(waiting.id, approval, reviewer("ra-on"))
        assert (done.case.state, done.approvals) == (State.IN_REVIEW, 1)
    assert len(desk.leaves("review")) == 1


def test_nobody_decides_twice(desk: Desk, waiting: Case) -> None:
    decide(desk, waiting, desk.review(waiting, "ra-on"), "ra-on")
    desk.operator.clock.advance(1)
    for action in ("review-approve", "review-deny"):
        again = desk.review(waiting, "ra-on", action)  # type: ignore[arg-type]
        assert refused(desk.warrants.decide, waiting.id, again, reviewer("ra-on")) == "DECISION_REPEATED"
    assert len(desk.leaves("review")) == 1


def test_an_expired_approval_counts_no_more_and_its_reviewer_may_decide_anew(
    desk: Desk, waiting: Case
) -> None:
    decide(desk, waiting, desk.review(waiting, "ra-on"), "ra-on")
    desk.operator.clock.advance(2 * HOUR_MS)
    done = desk.warrants.decide(waiting.id, desk.review(waiting, "sol-bi"), reviewer("sol-bi"))
    assert (done.case.state, done.approvals) == (State.IN_REVIEW, 1)
    assert decide(desk, waiting, desk.review(waiting, "ra-on"), "ra-on") is State.GRANTED


def test_a_reviewer_decides_as_the_person_of_the_certificate_only(desk: Desk, waiting: Case) -> None:
    approval = desk.review(waiting, "ra-on")
    outsider = Ed25519PrivateKey.generate()
    for peer, envelope, reason in (
        (reviewer("sol-bi"), approval, "STATEMENT_SIGNATURE"),
        (reviewer("nobody"), approval, "DECISION_PERSON"),
        (person("clerk", "ra-on"), approval, "DECISION_PERSON"),
        (CLERK, approval, "DECISION_PERSON"),
        (reviewer("ra-on"), desk.review(waiting, "ra-on", key=outsider), "STATEMENT_SIGNATURE"),
        (
            reviewer("ra-on"),
            desk.review(waiting, "sol-bi", key=desk.operator.reviewer_keys["ra-on"]),
            "DECISION_PERSON",
        ),
    ):
        assert refused(desk.warrants.decide, waiting.id, envelope, peer) == reason
    assert desk.leaves("review") == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"action": "lift"}, "DECISION_ACTION"),
        ({"action": "cancel"}, "DECISION_ACTION"),
        ({"subject": "00" * 32}, "DECISION_SUBJECT"),
        ({"governance": 2}, "GOVERNANCE_VERSION"),
        ({"mesh": "other.mesh"}, "STATEMENT_MESH"),
        ({"issued": 0, "expires": 1}, "STATEMENT_EXPIRED"),
    ],
)
def test_a_decision_about_something_else_counts_nothing(
    desk: Desk, waiting: Case, changes: dict[str, Any], reason: str
) -> None:
    members = {"action": "review-approve", "subject": desk.review_subject(waiting), **changes}
    action, subject = members.pop("action"), members.pop("subject")
    envelope = desk.operator.decision("ra-on", action, subject, **members)
    assert refused(desk.warrants.decide, waiting.id, envelope, reviewer("ra-on")) == reason


def test_a_decision_holds_24_hours_at_most_and_is_not_made_in_the_future(desk: Desk, waiting: Case) -> None:
    now_ms = desk.operator.clock.now_ms()
    long = desk.review(waiting, "ra-on", expires=now_ms + DAY_MS + 1)
    early = desk.review(waiting, "ra-on", issued=now_ms + 120_001, expires=now_ms + 200_000)
    for envelope in (long, early):
        assert refused(desk.warrants.decide, waiting.id, envelope, reviewer("ra-on")) == "DECISION_VALIDITY"


def test_an_approval_that_expires_before_its_log_entry_counts_nothing(desk: Desk, waiting: Case) -> None:
    approval = desk.review(waiting, "ra-on", expires=desk.operator.clock.now_ms() + 1000)
    desk.operator.audit.misbehaviour.time_shift_ms = 2000
    assert refused(desk.warrants.decide, waiting.id, approval, reviewer("ra-on")) == "STATEMENT_EXPIRED"
    found = desk.tables.by_id(waiting.id)
    assert found is not None
    assert found.decisions == ()


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_denial_and_a_cancellation_need_a_reason(desk: Desk, waiting: Case, reason: str) -> None:
    denial = desk.review(waiting, "ra-on", "review-deny", reason=reason)
    assert refused(desk.warrants.decide, waiting.id, denial, reviewer("ra-on")) == "DECISION_REASON"
    cancelling = desk.cancel(waiting, reason=reason)
    assert refused(desk.warrants.cancel, waiting.id, cancelling, reviewer("ra-on")) == "DECISION_REASON"


def test_an_approval_given_under_another_governance_version_counts_no_more(desk: Desk, waiting: Case) -> None:
    decide(desk, waiting, desk.review(waiting, "ra-on"), "ra-on")
    old = desk.review(waiting, "yeo-reum")
    desk.operator.governance.advance()
    assert refused(desk.warrants.decide, waiting.id, old, reviewer("yeo-reum")) == "GOVERNANCE_VERSION"
    done = desk.warrants.decide(waiting.id, desk.review(waiting, "sol-bi"), reviewer("sol-bi"))
    assert (done.case.state, done.approvals) == (State.IN_REVIEW, 1)


def test_another_policy_makes_another_subject(desk: Desk, waiting: Case) -> None:
    approval = desk.review(waiting, "ra-on")
    desk.policy += b"# changed\n"
    desk.operator.governance.policy = hashlib.sha256(desk.policy).hexdigest()
    desk.operator.governance.advance()
    fresh = desk.operator.decision("ra-on", "review-approve", _subject(approval))
    assert refused(desk.warrants.decide, waiting.id, fresh, reviewer("ra-on")) == "DECISION_SUBJECT"


def test_review_that_takes_too_long_refuses_the_case_for_good(desk: Desk, waiting: Case) -> None:
    desk.operator.clock.advance(72 * HOUR_MS)
    late = desk.review(waiting, "ra-on")
    assert refused(desk.warrants.decide, waiting.id, late, reviewer("ra-on")) == "CASE_STATE"
    assert state_of(desk, waiting) is State.REFUSED
    assert len(desk.leaves("document-refused")) == 1


def test_a_lapsed_review_is_told_to_whoever_submits_the_document_again(desk: Desk, waiting: Case) -> None:
    desk.operator.clock.advance(72 * HOUR_MS - 1)
    assert desk.open_case(waiting.document.content).state is State.IN_REVIEW
    desk.operator.clock.advance(1)
    case = desk.open_case(waiting.document.content)
    assert case.state is State.REFUSED
    assert [one.reason for one in case.refusal] == ["SCOPE_REFUSED"]


def test_a_granted_case_takes_no_more_decisions(desk: Desk) -> None:
    case = desk.open_case(desk.disclosure())
    assert desk.review_subject(case) == ""
    desk.messages.changes = {"bystanders": 200}
    other = desk.open_case(desk.disclosure(number="2026-압수-0009"))
    envelope = desk.review(other, "ra-on")
    assert refused(desk.warrants.decide, case.id, envelope, reviewer("ra-on")) == "DECISION_SUBJECT"


def test_a_decision_for_one_case_counts_for_no_other(desk: Desk, waiting: Case) -> None:
    other = desk.open_case(desk.disclosure(number="2026-압수-0009"))
    approval = desk.review(waiting, "ra-on")
    assert refused(desk.warrants.decide, other.id, approval, reviewer("ra-on")) == "DECISION_SUBJECT"
    assert refused(desk.warrants.decide, bytes(16), approval, reviewer("ra-on")) == "CASE_UNKNOWN"


def test_a_log_that_fails_at_the_grant_leaves_the_approval_and_the_same_decision_goes_on(
    desk: Desk, waiting: Case
) -> None:
    decide(desk, waiting, desk.review(waiting, "ra-on"), "ra-on")
    last = desk.review(waiting, "sol-bi")

    def silent_for_grants(kind: str) -> None:
        if kind == "disclosure-granted":
            raise RefusedError("PEER_UNAVAILABLE", "away")

    desk.operator.audit.before_append = silent_for_grants
    assert refused(desk.warrants.decide, waiting.id, last, reviewer("sol-bi")) == "LOG_UNAVAILABLE"
    assert state_of(desk, waiting) is State.GRANTING
    desk.operator.audit.before_append = lambda _kind: None
    assert decide(desk, waiting, last, "sol-bi") is State.GRANTED
    assert len(desk.leaves("disclosure-granted")) == 1


def test_one_reviewer_cancels_a_case_at_once_and_for_good(desk: Desk, waiting: Case) -> None:
    desk.operator.audit.misbehaviour.silent = True
    envelope = desk.cancel(waiting)
    assert desk.warrants.cancel(waiting.id, envelope, reviewer("ra-on")).state is State.CANCELLED
    assert desk.warrants.cancel(waiting.id, envelope, reviewer("ra-on")).state is State.CANCELLED
    desk.operator.audit.misbehaviour.silent = False
    assert len(desk.leaves("cancel")) == 1
    subject = _subject_of(desk, waiting)
    approval = desk.operator.decision("sol-bi", "review-approve", subject)
    assert refused(desk.warrants.decide, waiting.id, approval, reviewer("sol-bi")) == "CASE_STATE"
    content = waiting.document.content
    assert desk.open_case(content).state is State.CANCELLED


def test_a_case_cancelled_while_the_last_approval_is_logged_stays_cancelled(
    desk: Desk, waiting: Case
) -> None:
    decide(desk, waiting, desk.review(waiting, "ra-on"), "ra-on")
    last = desk.review(waiting, "sol-bi")

    def cancel_first(_kind: str) -> None:
        desk.operator.audit.before_append = lambda _other: None
        desk.warrants.cancel(waiting.id, desk.cancel(waiting), reviewer("ra-on"))

    desk.operator.audit.before_append = cancel_first
    assert refused(desk.warrants.decide, waiting.id, last, reviewer("sol-bi")) == "CASE_STATE"
    assert state_of(desk, waiting) is State.CANCELLED
    assert desk.leaves("disclosure-granted") == []


def test_only_a_decision_to_cancel_this_case_cancels_it(desk: Desk, waiting: Case) -> None:
    other = desk.open_case(desk.disclosure(number="2026-압수-0009"))
    approval = desk.review(waiting, "ra-on")
    wrong = desk.cancel(other)
    for envelope, peer, reason in (
        (approval, reviewer("ra-on"), "DECISION_ACTION"),
        (wrong, reviewer("ra-on"), "DECISION_SUBJECT"),
        (desk.cancel(waiting), person("custodian", "ra-on"), "DECISION_PERSON"),
        (desk.cancel(waiting, governance=7), reviewer("ra-on"), "GOVERNANCE_VERSION"),
    ):
        assert refused(desk.warrants.cancel, waiting.id, envelope, peer) == reason
    assert state_of(desk, waiting) is State.IN_REVIEW


def test_what_is_refused_or_empty_cannot_be_cancelled(desk: Desk) -> None:
    desk.messages.changes = {"messages": 0, "conversations": 0}
    case = desk.open_case(desk.disclosure())
    assert refused(desk.warrants.cancel, case.id, desk.cancel(case), reviewer("ra-on")) == "CASE_STATE"


def _subject(envelope: Envelope) -> str:
    return Decision.from_bytes(envelope.payload).subject


def _subject_of(desk: Desk, case: Case) -> str:
    assert case.forecast is not None
    policy = desk.operator.governance.current().policy
    return subjects.review(case.identity.digest, case.forecast.payload, policy)
