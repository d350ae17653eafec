from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from garim.documents.draft import normalise_identifier
from garim.kit.identity import service_id
from garim.statements.cases import NoData
from garim.statements.grants import DisclosureGrant, Masking, Subject
from garim.statements.refusal import Kind, RefusedError
from garim.testing.governance import DAY_MS, HOUR_MS
from garim.testing.operator import MESH, away
from garim.warrants.cases import Case
from garim.warrants.machine import State
from warrants_support.desk import (
    Desk,
    StopError,
    dies,
    dying_after,
    dying_at_second,
    dying_before,
    payload_of,
    reviewer,
)


def grant_of(case: Case) -> DisclosureGrant:
    assert case.statement is not None
    return DisclosureGrant.from_bytes(case.statement.statement.payload)


def test_a_valid_document_gets_a_logged_and_signed_grant_with_exactly_its_scope(desk: Desk) -> None:
    content = desk.disclosure()
    case = desk.open_case(content)
    assert case.state is State.GRANTED
    assert case.statement is not None
    assert case.forecast is not None
    keys = desk.operator.governance.current().keys_of("warrants")
    grant = DisclosureGrant.verify(
        case.statement.statement, keys, mesh=MESH, now=desk.operator.clock.now_ms()
    )
    claims = case.claims
    assert claims.kind == "disclosure"
    assert grant.subjects == (Subject(kind="account", value="subject-1"),)
    assert (grant.period.start, grant.period.end) == (claims.period.start_ms, claims.period.end_ms)
    assert (grant.mode, grant.recipient, grant.acknowledger) == (
        "sealed",
        claims.recipient,
        claims.acknowledger,
    )
    assert grant.document.digest == hashlib.sha256(payload_of(content)).hexdigest()
    assert grant.case == case.id.hex()
    assert grant.forecast == hashlib.sha256(case.forecast.payload).hexdigest()
    assert grant.policy == desk.operator.governance.current().policy
    assert grant.governance == 1
    assert grant.unmask_until == desk.operator.clock.now_ms() + 90 * DAY_MS
    assert grant.unmask_budget == 10
    assert grant.overlaps == ()
    # Whoever verifies the grant finds its payload in the log, by warrants.
    leaf = desk.ledger.verify(
        case.statement.statement.payload,
        case.statement.proof,
        kind="disclosure-granted",
        actor=service_id(MESH, "warrants"),
    )
    assert leaf.magnitudes == {"subjects": 1}


def test_the_grants_subjects_are_sorted(desk: Desk) -> None:
    phone = normalise_identifier("phone", "010-0000-1234")
    named = [{"kind": "phone", "value": phone}, {"kind": "account", "value": "subject-1"}]
    grant = grant_of(desk.open_case(desk.disclosure(subjects=named)))
    assert [one.kind for one in grant.subjects] == ["account", "phone"]


def test_an_erased_dossier_has_no_identities_to_ask_for(desk: Desk) -> None:
    assert grant_of(desk.open_case(desk.disclosure(mode="erased"))).unmask_budget == 0


def test_the_grant_says_how_policy_has_it_masked(desk: Desk) -> None:
    assert grant_of(desk.open_case(desk.disclosure())).masking == Masking()
    strict = desk.policy.replace(
        b"names: all-persons\n      times: exact", b"names: roster+identifiers\n      times: hour"
    )
    desk.policy = strict
    desk.operator.governance.policy = hashlib.sha256(strict).hexdigest()
    desk.operator.governance.advance()
    found = grant_of(desk.open_case(desk.disclosure(number="2026-2"))).masking
    assert found == Masking(names="roster+identifiers", times="hour")


def test_all_reasons_of_a_refusal_come_at_once_and_no_case_is_opened(desk: Desk) -> None:
    content = desk.disclosure(
        audience="TEST 다른 메신저",
        offence="jaywalking",
        warrant_type="interception-permission",
        subjects=[],
        recipient="age1nobody",
    )
    done = desk.submit(content)
    assert done.case is None
    assert {one.reason for one in done.reasons} == {
        "AUDIENCE_WRONG",
        "OFFENCE_NOT_LISTED",
        "WARRANT_TYPE_REFUSED",
        "SUBJECTS_MISSING",
        "RECIPIENT_UNREADABLE",
    }
    assert desk.custody.tickets == []


def test_a_refusal_is_logged_with_the_number_of_its_reasons_and_counted(desk: Desk) -> None:
    content = desk.disclosure(offence="jaywalking", subjects=[])
    desk.submit(content)
    desk.submit(content)
    leaves = desk.leaves("document-refused")
    assert [dict(leaf.magnitudes) for leaf in leaves] == [{"reasons": 2}, {"reasons": 2}]
    assert desk.counts["documents_refused", "OFFENCE_NOT_LISTED"] == 2


def test_a_refused_document_does_not_claim_its_number(desk: Desk) -> None:
    assert desk.reasons(desk.disclosure(offence="jaywalking")) == ["OFFENCE_NOT_LISTED"]
    assert desk.open_case(desk.disclosure()).state is State.GRANTED


def test_a_refusal_is_answered_while_the_log_is_silent_and_logged_afterwards(desk: Desk) -> None:
    desk.operator.audit.misbehaviour.silent = True
    assert desk.reasons(desk.disclosure(offence="jaywalking")) == ["OFFENCE_NOT_LISTED"]
    desk.operator.audit.misbehaviour.silent = False
    assert len(desk.leaves("document-refused")) == 1


def test_the_same_payload_returns_the_same_case_and_no_second_grant(desk: Desk) -> None:
    content = desk.disclosure()
    first, second = desk.open_case(content), desk.open_case(content)
    assert first == second
    assert desk.messages.asked == 1
    assert len(desk.leaves("disclosure-granted")) == 1


def test_another_payload_under_the_same_number_is_refused(desk: Desk) -> None:
    desk.open_case(desk.disclosure())
    assert desk.reasons(desk.disclosure(mode="erased")) == ["DOCUMENT_NUMBER_USED"]


def test_an_accepted_document_stays_accepted_when_policy_or_time_move_on(desk: Desk) -> None:
    content = desk.disclosure(expires_at="2026-11-22T07:00:00Z")
    case = desk.open_case(content)
    desk.operator.clock.advance(2 * HOUR_MS)
    assert desk.open_case(content) == case


def test_nothing_to_hand_over_is_a_signed_answer_whose_cause_only_reviewers_see(desk: Desk) -> None:
    desk.messages.changes = {"messages": 0, "conversations": 0, "bystanders": 0, "conversation_tags": ()}
    desk.custody.destroyed_epochs = 2
    case = desk.open_case(desk.disclosure())
    assert case.state is State.NO_DATA
    assert case.refusal == ()
    assert [one.reason for one in case.remarks] == ["NO_CONVERSATION", "ALREADY_DESTROYED"]
    assert case.statement is not None
    keys = desk.operator.governance.current().keys_of("warrants")
    answer = NoData.verify(case.statement.statement, keys, mesh=MESH, now=None)
    assert (answer.case, answer.document) == (case.id.hex(), case.identity.digest)
    desk.ledger.verify(
        case.statement.statement.payload,
        case.statement.proof,
        kind="no-data",
        actor=service_id(MESH, "warrants"),
    )


def test_secret_chats_alone_are_not_nothing(desk: Desk) -> None:
    desk.messages.changes = {"messages": 0, "opaque": 1}
    assert desk.open_case(desk.disclosure()).state is State.GRANTED


def test_the_budget_of_bystanders_refuses_with_the_one_reason_that_tells_nothing(desk: Desk) -> None:
    desk.messages.changes = {"bystanders": 10_000}
    case = desk.open_case(desk.disclosure())
    assert case.state is State.REFUSED
    assert [one.reason for one in case.refusal] == ["SCOPE_REFUSED"]
    assert "10" not in case.refusal[0].message
    assert [one.reason for one in case.remarks] == ["BYSTANDER_BUDGET"]
    assert [dict(leaf.magnitudes) for leaf in desk.leaves("document-refused")] == [{"reasons": 1}]


def test_many_bystanders_or_subjects_put_a_case_before_the_reviewers(desk: Desk) -> None:
    desk.messages.changes = {"bystanders": 200}
    named = [{"kind": "account", "value": f"subject-{number}"} for number in range(6)]
    case = desk.open_case(desk.disclosure(subjects=named))
    assert case.state is State.IN_REVIEW
    assert [one.reason for one in case.remarks] == ["BYSTANDERS", "SUBJECTS"]
    assert case.statement is None
    assert desk.leaves("disclosure-granted") == []


def test_a_scope_that_overlaps_an_earlier_case_is_reviewed_and_its_grant_names_that_case(desk: Desk) -> None:
    desk.messages.changes = {"conversation_tags": ("aa" * 32, "bb" * 32)}
    earlier = desk.open_case(desk.disclosure())
    desk.messages.changes = {"conversation_tags": ("bb" * 32, "cc" * 32)}
    case = desk.open_case(desk.disclosure(number="2026-압수-0009"))
    assert case.state is State.IN_REVIEW
    assert [one.reason for one in case.remarks] == ["OVERLAP"]
    for name in ("ra-on", "sol-bi"):
        desk.warrants.decide(case.id, desk.review(case, name), reviewer(name))
    granted = desk.tables.by_id(case.id)
    assert granted is not None
    assert grant_of(granted).overlaps == (earlier.id.hex(),)


def test_a_cancelled_case_that_was_granted_still_overlaps(desk: Desk) -> None:
    desk.messages.changes = {"conversation_tags": ("aa" * 32,)}
    earlier = desk.open_case(desk.disclosure())
    desk.warrants.cancel(earlier.id, desk.cancel(earlier), reviewer("ra-on"))
    assert desk.open_case(desk.disclosure(number="2026-압수-0009")).state is State.IN_REVIEW


def test_two_cases_before_the_reviewers_overlap_too(desk: Desk) -> None:
    desk.messages.changes = {"conversation_tags": ("aa" * 32,), "bystanders": 200}
    desk.open_case(desk.disclosure())
    desk.messages.changes = {"conversation_tags": ("aa" * 32,)}
    assert desk.open_case(desk.disclosure(number="2026-압수-0009")).state is State.IN_REVIEW


def test_a_document_that_expires_before_its_log_entry_is_not_granted(desk: Desk) -> None:
    content = desk.disclosure(expires_at="2026-11-22T07:00:00Z")
    desk.operator.audit.misbehaviour.silent = True
    with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
        desk.submit(content)
    desk.operator.audit.misbehaviour.silent = False
    desk.operator.clock.advance(2 * HOUR_MS)
    case = desk.open_case(content)
    assert case.state is State.REFUSED
    assert [one.reason for one in case.refusal] == ["DOCUMENT_EXPIRED"]


@pytest.mark.parametrize("step", ["custody", "messages", "log"])
def test_a_peer_that_is_away_leaves_the_case_where_it_is_and_the_same_submit_goes_on(
    desk: Desk, step: str
) -> None:
    content = desk.disclosure()
    if step == "custody":
        desk.custody.refusal = away()
    elif step == "messages":
        desk.messages.refusal = away()
    else:
        desk.operator.audit.misbehaviour.silent = True
    with pytest.raises(RefusedError) as caught:
        desk.submit(content)
    assert caught.value.kind is Kind.UNAVAILABLE
    desk.custody.refusal = desk.messages.refusal = None
    desk.operator.audit.misbehaviour.silent = False
    assert desk.open_case(content).state is State.GRANTED
    assert len(desk.leaves("disclosure-granted")) == 1


def test_an_overlapping_case_without_a_grant_shares_no_budget(desk: Desk) -> None:
    desk.messages.changes = {"conversation_tags": ("aa" * 32,), "bystanders": 200}
    desk.open_case(desk.disclosure())
    case = desk.open_case(desk.disclosure(number="2026-압수-0009"))
    assert [one.reason for one in case.remarks] == ["BYSTANDERS", "OVERLAP"]
    for name in ("ra-on", "sol-bi"):
        desk.warrants.decide(case.id, desk.review(case, name), reviewer(name))
    granted = desk.tables.by_id(case.id)
    assert granted is not None
    assert grant_of(granted).overlaps == ()


def test_a_case_cancelled_while_its_forecast_is_made_stays_cancelled(desk: Desk) -> None:
    def cancel_first() -> None:
        ((_, case),) = desk.tables.page(frozenset(State), None, 2)
        desk.warrants.cancel(case.id, desk.cancel(case), reviewer("ra-on"))

    desk.messages.on_forecast = cancel_first
    assert desk.open_case(desk.disclosure()).state is State.CANCELLED
    assert desk.leaves("disclosure-granted") == []


def test_a_forecast_whose_answer_was_lost_is_taken_at_the_next_submit(desk: Desk) -> None:
    content = desk.disclosure()
    desk.messages.loses_answers = True
    for _ in range(2):
        with pytest.raises(RefusedError, match="PEER_UNAVAILABLE"):
            desk.submit(content)
    desk.messages.loses_answers = False
    desk.restart()
    assert desk.open_case(content).state is State.GRANTED
    assert (desk.messages.asked, len(desk.custody.tickets)) == (1, 3)


class Killed:
    """Something whose named call ends the process, before or after it has done its work."""

    def __init__(self, whole: object, name: str, when: Callable[[Callable[..., Any]], Any]) -> None:
        self._whole, self._name, self._when = whole, name, when

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._whole, name)
        return self._when(call) if name == self._name else call


@pytest.mark.parametrize(
    ("part", "call"),
    [
        ("store", "claim"),
        ("custody", "forecast_ticket"),
        ("messages", "forecast"),
        ("store", "settle"),
        ("log", "append"),
    ],
)
@pytest.mark.parametrize("when", [dying_before, dying_after, dying_at_second])
def test_killed_at_any_step_the_case_goes_on_without_doubling(
    desk: Desk, part: str, call: str, when: Callable[[Callable[..., Any]], Any]
) -> None:
    content = desk.disclosure()
    desk.restart(**{part: Killed(getattr(desk.means, part), call, when(call))})
    with contextlib.suppress(StopError):
        desk.submit(content)
    desk.restart()
    case = desk.open_case(content)
    assert case.state is State.GRANTED
    assert len(desk.leaves("disclosure-granted")) == 1
    assert desk.tables.page(frozenset(State), None, 10) == [(1, case)]


def test_killed_between_log_and_commit_the_same_grant_is_signed(desk: Desk) -> None:
    content = desk.disclosure()
    desk.restart(sign=dies)
    with pytest.raises(StopError):
        desk.submit(content)
    body = desk.tables.page(frozenset(State), None, 10)[0][1].body
    desk.restart()
    case = desk.open_case(content)
    assert case.statement is not None
    assert case.statement.statement.payload == body
    assert len(desk.leaves("disclosure-granted")) == 1


def test_an_answer_of_the_log_that_is_lost_is_asked_for_again_without_a_second_entry(desk: Desk) -> None:
    content = desk.disclosure()
    desk.operator.audit.misbehaviour.silent_after_append = True
    with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
        desk.submit(content)
    desk.operator.audit.misbehaviour.silent_after_append = False
    assert desk.open_case(content).state is State.GRANTED
    assert len(desk.leaves("disclosure-granted")) == 1


def test_a_case_cancelled_while_its_grant_is_being_logged_stays_cancelled(desk: Desk) -> None:
    content = desk.disclosure()
    desk.operator.audit.misbehaviour.silent = True
    with pytest.raises(RefusedError):
        desk.submit(content)
    desk.operator.audit.misbehaviour.silent = False
    identity = hashlib.sha256(payload_of(content)).hexdigest()
    waiting = desk.tables.by_document(identity)
    assert waiting is not None

    def cancel_first(_kind: str) -> None:
        desk.operator.audit.before_append = lambda _other: None
        desk.warrants.cancel(waiting.id, desk.cancel(waiting), reviewer("ra-on"))

    desk.operator.audit.before_append = cancel_first
    case = desk.open_case(content)
    assert case.state is State.CANCELLED
    assert case.statement is None
