"""The table of transitions is the only thing that moves a case, and each move is on record."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import garim.warrants
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.warrants.cases import Case, Change
from garim.warrants.machine import FINAL, GRANTED, TRANSITIONS, UNDECIDED, Cause, State, after, opened
from warrants_support.desk import Desk, person, reviewer
from warrants_support.steps import Others

FOLDER = Path(garim.warrants.__file__ or "").parent


def told(case: Case) -> list[tuple[str, str, str]]:
    return [(one.cause.value, one.state.value, one.who) for one in case.events]


def test_every_state_is_reached_and_stands_in_one_group() -> None:
    assert {row.after for row in TRANSITIONS.values()} == set(State)
    assert set(TRANSITIONS) == set(Cause)
    groups = (UNDECIDED, GRANTED, FINAL)
    assert sorted(one for group in groups for one in group) == sorted(State)


def test_nothing_moves_a_case_from_a_final_state() -> None:
    assert not any(row.before & FINAL for row in TRANSITIONS.values())


@pytest.mark.parametrize("cause", list(Cause))
def test_what_the_table_does_not_list_is_refused(cause: Cause) -> None:
    row = TRANSITIONS[cause]
    for kind in ("disclosure", "supplementary", "preservation", "emergency-preservation", "revocation"):
        for state in State:
            if kind in row.kinds and state in row.before:
                assert after(kind, state, cause) is row.after
            else:
                with pytest.raises(RefusedError, match="does not become") as refused:
                    after(kind, state, cause)
                assert refused.value.reason == "CASE_TRANSITION"


def test_the_readme_has_the_table() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for cause, row in TRANSITIONS.items():
        anywhere = row.before == UNDECIDED | GRANTED
        before = "any not final" if anywhere else ", ".join(sorted(row.before)) or "-"
        seen = "yes" if row.confidential else "no"
        kinds = ", ".join(sorted(row.kinds))
        assert f"| `{cause}` | {before} | {row.after} | {kinds} | {seen} |\n" in text


def test_a_kind_that_the_table_does_not_know_opens_no_case() -> None:
    with pytest.raises(RefusedError) as refused:
        opened("subpoena")
    assert refused.value.reason == "CASE_TRANSITION"


def test_no_other_module_writes_a_state() -> None:
    """States change by their cause alone: nobody passes a state to what changes or stores a case."""
    writers = []
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                names = {one.arg for one in node.keywords}
                if "state" in names and ast.unparse(node.func) in {"Change", "dataclasses.replace"}:
                    writers.append(path.name)
    assert not writers


def test_a_refused_transition_changes_nothing(desk: Desk) -> None:
    case = desk.open_case(desk.disclosure())
    with pytest.raises(RefusedError) as refused:
        desk.tables.settle(case.id, lambda _view: Change(cause=Cause.REVIEW_APPROVED, request=b"1" * 16))
    assert refused.value.reason == "CASE_TRANSITION"
    assert desk.tables.by_id(case.id) == case


def test_every_transition_is_on_record_with_time_cause_and_person(desk: Desk) -> None:
    desk.messages.changes = {"bystanders": 200}
    received_ms = desk.operator.clock.now_ms()
    done = desk.submit(desk.disclosure(), filer=person("clerk", "han-gyeol"))
    case = done.case
    assert case is not None
    desk.operator.clock.advance(60_000)
    for name in ("ra-on", "sol-bi"):
        case = desk.warrants.decide(case.id, desk.review(case, name), reviewer(name)).case
    assert told(case) == [
        ("accepted", "received", "person/clerk/han-gyeol"),
        ("review-asked", "in-review", "service/warrants"),
        ("review-approved", "granting", "person/reviewer/sol-bi"),
        ("grant-logged", "granted", "service/warrants"),
    ]
    assert [one.at_ms - received_ms for one in case.events] == [0, 0, 60_000, 60_000]


def test_a_second_requests_way_is_on_record_and_ends_with_the_first(desk: Desk, granted: Case) -> None:
    content, sealed = desk.supplementary(granted)
    second = desk.open_case(content, sealed)
    assert [one.cause for one in second.events][-1] is Cause.UNMASK_REQUESTED
    desk.warrants.cancel(granted.id, desk.cancel(granted), reviewer("ra-on"))
    after_all = desk.tables.by_id(second.id)
    assert after_all is not None
    assert told(after_all)[-1] == ("cancelled-with-first", "cancelled", "person/reviewer/ra-on")


def test_a_delivered_first_request_can_still_be_followed(desk: Desk, others: Others, granted: Case) -> None:
    others.delivered(granted)
    content, sealed = desk.supplementary(granted)
    assert desk.open_case(content, sealed).state is State.REQUESTED


def test_a_preservation_order_is_preserved_once(desk: Desk) -> None:
    case = desk.open_case(desk.signed(documents.preservation(desk.pki)))
    for _ in range(2):
        desk.warrants.handling.preserved(case.id)
    kept = desk.tables.by_id(case.id)
    assert kept is not None
    assert [one.cause for one in kept.events].count(Cause.SCOPE_PRESERVED) == 1
    assert kept.state is State.PRESERVED


def test_events_survive_a_restart(desk: Desk, granted: Case) -> None:
    desk.restart()
    again = desk.tables.by_id(granted.id)
    assert again is not None
    assert again.events == granted.events != ()
