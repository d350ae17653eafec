"""A case is judged by the policy of its receipt to its end, whatever governance pins meanwhile."""

from __future__ import annotations

import hashlib

import pytest

from garim.documents.policy import DAY_MS
from garim.statements import subjects
from garim.statements.grants import DisclosureGrant
from garim.statements.refusal import RefusedError
from garim.testing.governance import HOUR_MS
from garim.testing.operator import away
from garim.warrants.cases import Case
from garim.warrants.grants import granted
from garim.warrants.machine import State
from warrants_support.desk import POLICY, Desk, reviewer

MINUTE_MS = 60_000
BEFORE = hashlib.sha256(POLICY).hexdigest()
OTHER = (
    POLICY.replace(b"always: false", b"always: true")
    .replace(b"unmask_days: 90", b"unmask_days: 7")
    .replace(b"review_hours: 72", b"review_hours: 1")
)


def change_policy(desk: Desk, policy: bytes = OTHER) -> None:
    """Pin another policy from a minute on, and deliver its file; a minute passes."""
    desk.operator.clock.advance(MINUTE_MS)
    desk.policy = policy
    desk.operator.governance.policy = hashlib.sha256(policy).hexdigest()
    desk.operator.governance.now_ms = desk.operator.clock.now_ms()
    desk.operator.governance.advance()
    desk.operator.clock.advance(MINUTE_MS)


def in_review(desk: Desk, number: str = "2026-압수-0001") -> Case:
    desk.messages.changes = {"bystanders": 200}
    case = desk.open_case(desk.disclosure(number=number))
    assert case.state is State.IN_REVIEW
    return case


def approved(desk: Desk, case: Case) -> Case:
    for name in ("ra-on", "sol-bi"):
        case = desk.warrants.decide(case.id, desk.review(case, name), reviewer(name)).case
    return case


def grant_of(case: Case) -> DisclosureGrant:
    return DisclosureGrant.from_bytes(granted(case).statement.payload)


def test_a_case_in_review_is_decided_and_granted_under_the_policy_of_its_receipt(desk: Desk) -> None:
    case = in_review(desk)
    change_policy(desk)
    assert case.forecast is not None
    named = subjects.review(case.identity.digest, case.forecast.payload, BEFORE)
    assert desk.warrants.show(case.id).review_subject == named
    grant = grant_of(approved(desk, case))
    assert (grant.policy, grant.governance) == (BEFORE, 2)
    assert grant.unmask_until - grant.issued == 90 * DAY_MS


def test_a_case_that_waits_for_its_forecast_is_judged_by_the_policy_of_its_receipt(desk: Desk) -> None:
    content = desk.disclosure()
    desk.custody.refusal = away()
    with pytest.raises(RefusedError, match="PEER_UNAVAILABLE"):
        desk.submit(content)
    desk.custody.refusal = None
    change_policy(desk)
    case = desk.open_case(content)
    assert case.state is State.GRANTED
    assert grant_of(case).policy == BEFORE


def test_a_case_received_after_the_change_is_judged_by_the_new_policy(desk: Desk) -> None:
    change_policy(desk)
    case = approved(desk, in_review(desk))
    assert grant_of(case).policy == hashlib.sha256(OTHER).hexdigest()
    assert grant_of(case).unmask_until - grant_of(case).issued == 7 * DAY_MS


def test_a_review_ends_by_the_deadline_of_its_receipt(desk: Desk) -> None:
    case = in_review(desk)
    change_policy(desk)
    desk.operator.clock.advance(2 * HOUR_MS)
    desk.warrants.lapse_reviews()
    due = {one.item: one.due_ms for one in desk.warrants.casebook.due_of(case)}
    assert due["review"] == case.received_ms + 72 * HOUR_MS
    assert desk.warrants.show(case.id).case.state is State.IN_REVIEW


def test_without_the_earlier_file_nothing_is_decided_and_with_it_the_case_goes_on(desk: Desk) -> None:
    case = in_review(desk)
    change_policy(desk)
    desk.kept_policies = [OTHER]
    with pytest.raises(RefusedError, match="POLICY_MISSING"):
        desk.warrants.show(case.id)
    decision = desk.operator.decision("ra-on", "review-approve", "ab" * 32)
    with pytest.raises(RefusedError, match="POLICY_MISSING"):
        desk.warrants.decide(case.id, decision, reviewer("ra-on"))
    desk.warrants.demand_ready()
    desk.kept_policies = [OTHER, POLICY]
    assert approved(desk, case).state is State.GRANTED


def test_a_missing_file_keeps_no_other_review_from_ending_in_time(desk: Desk) -> None:
    old = in_review(desk)
    change_policy(desk)
    desk.kept_policies = []
    new = in_review(desk, "2026-압수-0002")
    later = in_review(desk, "2026-압수-0003")
    desk.operator.clock.advance(2 * HOUR_MS)
    with pytest.raises(RefusedError, match="POLICY_MISSING"):
        desk.warrants.lapse_reviews()
    states = {one.id: one.state for _, one in desk.tables.page(frozenset(State), None, 10)}
    assert states == {old.id: State.IN_REVIEW, new.id: State.REFUSED, later.id: State.REFUSED}


def test_a_policy_that_came_back_judges_by_the_present_file(desk: Desk) -> None:
    case = in_review(desk)
    change_policy(desk)
    change_policy(desk, POLICY)
    desk.kept_policies = []
    assert grant_of(approved(desk, case)).policy == BEFORE
