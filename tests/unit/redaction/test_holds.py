"""What the leak scan leaves to people is lifted by two reviewers, whose decisions count now."""

from __future__ import annotations

import dataclasses

import pytest

from garim.redaction.attempt.job import Held
from garim.statements import subjects
from garim.statements.refusal import Kind, RefusedError
from redaction_support.office import CASE, DOCUMENT, Office, hold, packs, reason, stages

DAY_MS = 24 * 3_600_000
FREEZE = "0d" * 16


def lift(office: Office, person: str, **change: object) -> int:
    subject = change.pop("subject", office.holds.state(CASE).subject)
    action = change.pop("action", "lift")
    signer = change.pop("signer", person)
    key = office.operator.reviewer_keys[str(signer)]
    decision = office.operator.decision(person, action, str(subject), key=key, **change)  # type: ignore[arg-type] # by name
    return office.holds.lift(CASE, decision, str(change.get("caller", person))).lifts


def held_office(office: Office) -> Office:
    office.scripts = [lambda _: iter([Held(holds=(hold(),))]), packs]
    assert stages(office)[-1] == "HELD"
    return office


def test_a_held_build_waits_for_two_reviewers(office: Office) -> None:
    held_office(office)
    state = office.holds.state(CASE)
    assert (state.holds, state.lifts, state.needed) == ([hold()], 0, 2)
    assert state.subject == subjects.lift(DOCUMENT, office.builds.row(CASE).holds)  # type: ignore[union-attr] # is there
    assert office.files() == []
    assert lift(office, "ra-on") == 1
    assert office.holds.lifted(CASE) == []
    assert lift(office, "sol-bi") == 2
    assert office.holds.lifted(CASE) == [hold().place]
    assert stages(office)[-1] == "CLOSED"
    assert office.jobs[-1].lifted == (hold().place,)
    assert office.logged_types().count("lift") == 2


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"action": "review-approve"}, "DECISION_ACTION"),
        ({"subject": "00" * 32}, "DECISION_SUBJECT"),
        ({"governance": 2}, "GOVERNANCE_VERSION"),
        ({"freeze": FREEZE}, "GOVERNANCE_VERSION"),
        ({"signer": "sol-bi"}, "STATEMENT_SIGNATURE"),
        ({"mesh": "other.mesh"}, "STATEMENT_MESH"),
        ({"expires": 5}, "STATEMENT_EXPIRED"),
        ({"reason": ""}, "DECISION_REASON"),
        ({"reason": " \u3000"}, "DECISION_REASON"),
    ],
)
def test_a_decision_about_something_else_lifts_nothing(
    office: Office, change: dict[str, object], expected: str
) -> None:
    held_office(office)
    assert reason(lambda: lift(office, "ra-on", **change)) == expected
    assert office.holds.state(CASE).lifts == 0
    assert "lift" not in office.logged_types()


def lifted_office(office: Office, **change: object) -> Office:
    held_office(office)
    for person in ("ra-on", "sol-bi"):
        lift(office, person, **change)
    return office


def test_a_lift_made_before_a_freeze_opens_nothing_under_it(office: Office) -> None:
    lifted_office(office)
    office.freeze = FREEZE
    assert (office.holds.lifted(CASE), office.holds.state(CASE).lifts) == ([], 0)
    assert reason(lambda: lift(office, "ra-on")) == "GOVERNANCE_VERSION"
    assert lift(office, "ra-on", freeze=FREEZE) == 1
    assert lift(office, "sol-bi", freeze=FREEZE) == 2
    assert office.holds.lifted(CASE) == [hold().place]
    office.freeze = None
    assert office.holds.lifted(CASE) == []


def test_a_lift_made_before_a_governance_version_opens_nothing_under_it(office: Office) -> None:
    lifted_office(office)
    office.operator.governance.advance()
    assert (office.holds.lifted(CASE), office.holds.state(CASE).lifts) == ([], 0)
    assert lift(office, "ra-on", governance=office.operator.governance.current().version) == 1


def test_a_lift_that_has_expired_opens_nothing_and_is_made_anew(office: Office) -> None:
    now_ms = office.operator.clock.now_ms()
    lifted_office(office, expires=now_ms + 60_000)
    office.operator.clock.advance(60_000)
    assert office.holds.lifted(CASE) == []
    assert lift(office, "ra-on") == 1


def test_without_custodys_word_on_freezes_nothing_is_lifted_and_nothing_built(office: Office) -> None:
    lifted_office(office)
    office.frozen = RefusedError("PEER_UNREACHABLE", "no answer", kind=Kind.UNAVAILABLE)
    attempts = len(office.jobs)
    for call in (
        lambda: office.holds.lifted(CASE),
        lambda: lift(office, "ra-on"),
        office.build,
    ):
        assert reason(call) == "PEER_UNREACHABLE"
    assert len(office.jobs) == attempts


def test_a_lift_under_another_governance_version_is_for_the_reviewer_to_make_anew(office: Office) -> None:
    held_office(office)
    with pytest.raises(RefusedError) as refused:
        lift(office, "ra-on", governance=2)
    assert (refused.value.reason, refused.value.kind) == ("GOVERNANCE_VERSION", Kind.PRECONDITION)


@pytest.mark.parametrize(
    ("issued", "lives", "expected"),
    [
        (0, DAY_MS, None),
        (120_000, DAY_MS, None),
        (120_001, 1_000, "DECISION_VALIDITY"),
        (0, DAY_MS + 1, "DECISION_VALIDITY"),
        (-DAY_MS, DAY_MS + 1, "DECISION_VALIDITY"),
        (60_000, -1_000, "DECISION_VALIDITY"),
    ],
)
def test_a_lift_is_made_now_and_lives_a_day_at_most(
    office: Office, issued: int, lives: int, expected: str | None
) -> None:
    held_office(office)
    begins = office.operator.clock.now_ms() + issued
    change = {"issued": begins, "expires": begins + lives}
    if expected is None:
        assert lift(office, "ra-on", **change) == 1
    else:
        assert reason(lambda: lift(office, "ra-on", **change)) == expected
        assert office.holds.state(CASE).lifts == 0
        assert "lift" not in office.logged_types()


def test_two_reviewers_lift_even_where_one_decides_disclosures(office: Office) -> None:
    held_office(office)
    office.operator.governance.review_quorum = 1
    office.operator.governance.advance()
    assert office.operator.governance.current().review_quorum == 1
    assert lift(office, "ra-on") == 1
    assert office.holds.state(CASE).needed == 2
    assert office.holds.lifted(CASE) == []
    assert lift(office, "sol-bi") == 2
    assert office.holds.lifted(CASE) == [hold().place]


def test_a_decision_counts_only_from_the_person_who_made_it(office: Office) -> None:
    held_office(office)
    subject = office.holds.state(CASE).subject
    keys = office.operator.reviewer_keys
    theirs = office.operator.decision("sol-bi", "lift", subject, key=keys["ra-on"])
    assert reason(lambda: office.holds.lift(CASE, theirs, "ra-on")) == "DECISION_PERSON"
    assert reason(lambda: office.holds.lift(CASE, theirs, "nobody")) == "DECISION_PERSON"


def test_a_decision_that_ends_before_it_is_logged_lifts_nothing(office: Office) -> None:
    held_office(office)
    office.operator.audit.misbehaviour.time_shift_ms = 60_000
    until = office.operator.clock.now_ms() + 30_000
    assert reason(lambda: lift(office, "ra-on", expires=until)) == "STATEMENT_EXPIRED"
    assert office.holds.state(CASE).lifts == 0


def test_a_reviewer_lifts_once(office: Office) -> None:
    held_office(office)
    lift(office, "ra-on")
    assert reason(lambda: lift(office, "ra-on")) == "DECISION_REPEATED"
    assert office.holds.lifted(CASE) == []


def test_a_reviewer_who_left_does_not_count(office: Office) -> None:
    held_office(office)
    lift(office, "ra-on")
    lift(office, "sol-bi")
    del office.operator.reviewer_keys["sol-bi"]
    office.operator.governance.advance()
    assert office.holds.lifted(CASE) == []


def test_new_holds_need_new_decisions(office: Office) -> None:
    office.scripts = [lambda _: iter([Held(holds=(hold(),))]), lambda _: iter([Held(holds=(hold(9),))])]
    office.build()
    lift(office, "ra-on")
    old = office.holds.state(CASE).subject
    office.build()
    assert office.holds.state(CASE).lifts == 0
    assert reason(lambda: lift(office, "sol-bi", subject=old)) == "DECISION_SUBJECT"


def test_what_has_no_holds_is_not_lifted(office: Office) -> None:
    assert reason(lambda: office.holds.state(CASE)) == "CASE_UNKNOWN"
    office.build()
    assert reason(lambda: lift(office, "ra-on")) == "HOLD_UNKNOWN"


def test_holds_say_where_and_never_what(office: Office) -> None:
    held_office(office)
    fields = {field.name for field in dataclasses.fields(office.holds.state(CASE))}
    assert fields == {"holds", "subject", "lifts", "needed"}
    assert set(hold().to_json()) == {"place", "reason"}
    assert set(hold().place.to_json()) == {"segment", "message", "start", "end"}
