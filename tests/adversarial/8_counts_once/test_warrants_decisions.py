from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest

from garim.statements.refusal import RefusedError
from garim.warrants.cases import Case
from garim.warrants.machine import State
from warrants_support.desk import Desk, reviewer


@pytest.fixture
def waiting(desk: Desk) -> Case:
    desk.messages.changes = {"bystanders": 200}
    return desk.open_case(desk.disclosure())


def test_an_approval_is_not_replayed_under_another_governance_version(desk: Desk, waiting: Case) -> None:
    old = {name: desk.review(waiting, name) for name in ("ra-on", "sol-bi")}
    desk.operator.governance.advance()
    for name, approval in old.items():
        with pytest.raises(RefusedError, match="GOVERNANCE_VERSION"):
            desk.warrants.decide(waiting.id, approval, reviewer(name))


def test_an_approval_recorded_under_an_older_version_does_not_make_up_the_quorum(
    desk: Desk, waiting: Case
) -> None:
    desk.warrants.decide(waiting.id, desk.review(waiting, "ra-on"), reviewer("ra-on"))
    desk.operator.governance.advance()
    done = desk.warrants.decide(waiting.id, desk.review(waiting, "sol-bi"), reviewer("sol-bi"))
    assert done.case.state is State.IN_REVIEW


def test_a_reviewer_whom_governance_no_longer_names_does_not_count(desk: Desk, waiting: Case) -> None:
    desk.warrants.decide(waiting.id, desk.review(waiting, "ra-on"), reviewer("ra-on"))
    approval = desk.review(waiting, "sol-bi")
    del desk.operator.governance.reviewer_keys["sol-bi"]
    desk.operator.governance.advance()
    with pytest.raises(RefusedError, match="DECISION_PERSON"):
        desk.warrants.decide(waiting.id, approval, reviewer("sol-bi"))


def test_one_reviewer_is_no_quorum_however_often_and_fast_they_decide(desk: Desk, waiting: Case) -> None:
    approvals = [desk.review(waiting, "ra-on", expires=_later(desk, number)) for number in range(8)]

    def decide(index: int) -> str:
        try:
            done = desk.warrants.decide(waiting.id, approvals[index], reviewer("ra-on"))
        except RefusedError as refusal:
            return refusal.reason
        return done.case.state.value

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(decide, range(8)))
    assert sorted(outcomes) == ["DECISION_REPEATED"] * 7 + ["in-review"]


def test_two_last_approvals_at_once_make_one_grant(desk: Desk, waiting: Case) -> None:
    desk.warrants.decide(waiting.id, desk.review(waiting, "ra-on"), reviewer("ra-on"))
    last = {name: desk.review(waiting, name) for name in ("sol-bi", "yeo-reum")}

    def decide(name: str) -> str:
        try:
            return desk.warrants.decide(waiting.id, last[name], reviewer(name)).case.state.value
        except RefusedError as refusal:
            return refusal.reason

    with ThreadPoolExecutor(2) as pool:
        outcomes = set(pool.map(decide, last))
    assert outcomes <= {"granted", "CASE_STATE"}
    assert "granted" in outcomes
    assert len(desk.leaves("disclosure-granted")) == 1


def test_a_denial_is_not_turned_into_an_approval(desk: Desk, waiting: Case) -> None:
    denial = desk.review(waiting, "ra-on", "review-deny")
    turned = dataclasses.replace(denial, payload=denial.payload.replace(b"review-deny", b"review-approve"))
    with pytest.raises(RefusedError, match="STATEMENT_SIGNATURE"):
        desk.warrants.decide(waiting.id, turned, reviewer("ra-on"))


def test_an_approval_for_a_custodians_matter_is_no_review(desk: Desk, waiting: Case) -> None:
    envelope = desk.operator.decision("ra-on", "approve", desk.review_subject(waiting))
    with pytest.raises(RefusedError, match="DECISION_ACTION"):
        desk.warrants.decide(waiting.id, envelope, reviewer("ra-on"))


def _later(desk: Desk, number: int) -> int:
    return desk.operator.clock.now_ms() + 1000 + number
