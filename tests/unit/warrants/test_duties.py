"""What is due follows from the case, the policy and the time; settling it takes a reason and a person."""

from __future__ import annotations

import io
import json

import pytest

from garim.kit.telemetry import Telemetry
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.warrants.cases import Case
from garim.warrants.duties import DueItem
from garim.warrants.machine import State
from garim.warrants.watch import Watch
from warrants_support.desk import Desk, person, reviewer
from warrants_support.steps import DAY_MS, Others

OPERATOR = person("operator", "na-bi")
HOUR_MS = 3_600_000


def due(desk: Desk, case: Case) -> dict[str, DueItem]:
    now = desk.tables.by_id(case.id)
    assert now is not None
    return {one.item: one for one in desk.warrants.casebook.due_of(now)}


def standings(desk: Desk, case: Case) -> dict[str, str]:
    return {name: one.standing.value for name, one in due(desk, case).items()}


def settle(
    desk: Desk,
    case: Case,
    item: str,
    *,
    reason: str = "통지서 발송",
    ground: str = "",
    until_ms: int | None = None,
) -> DueItem:
    return desk.warrants.casebook.settle(
        case.id, item, OPERATOR, reason=reason, ground=ground, until_ms=until_ms
    )


def refusal(desk: Desk, case: Case, item: str, **how: object) -> str:
    with pytest.raises(RefusedError) as refused:
        settle(desk, case, item, **how)  # type: ignore[arg-type] - as the caller gives them
    return refused.value.reason


def test_subjects_are_to_be_notified_within_thirty_days_of_the_first_delivery(
    desk: Desk, others: Others, granted: Case
) -> None:
    assert "notify-subjects" not in due(desk, granted)
    case = others.delivered(granted)
    assert case.delivery is not None
    assert case.delivery.delivered_ms is not None
    item = due(desk, granted)["notify-subjects"]
    assert item.due_ms == case.delivery.delivered_ms + 30 * DAY_MS
    assert any("제9조의3" in one for one in item.basis)
    desk.operator.clock.advance(30 * DAY_MS)
    assert standings(desk, granted)["notify-subjects"] == "overdue"


def test_the_suspects_part_is_due_from_the_grant_on(desk: Desk, granted: Case) -> None:
    item = due(desk, granted)["participation"]
    assert item.due_ms == granted.received_ms + 7 * DAY_MS
    assert any("제121조" in one for one in item.basis)


def test_duties_of_what_was_handed_over_survive_the_cases_end(
    desk: Desk, others: Others, granted: Case
) -> None:
    others.delivered(granted)
    desk.warrants.cancel(granted.id, desk.cancel(granted), reviewer("ra-on"))
    assert standings(desk, granted) == {"participation": "open", "notify-subjects": "open"}


def test_a_case_cancelled_before_delivery_has_no_duties(desk: Desk, granted: Case) -> None:
    desk.warrants.cancel(granted.id, desk.cancel(granted), reviewer("ra-on"))
    assert due(desk, granted) == {}


def test_a_dossiers_end_is_no_duty_and_goes_when_it_is_past(
    desk: Desk, others: Others, granted: Case
) -> None:
    others.delivered(granted)
    item = due(desk, granted)["dossier-end"]
    assert (item.standing.value, item.due_ms) == ("ends", desk.operator.clock.now_ms() + 90 * DAY_MS)
    desk.operator.clock.advance(90 * DAY_MS)
    assert "dossier-end" not in due(desk, granted)


def test_a_document_that_ends_is_due_until_its_dossier_is_closed(desk: Desk, others: Others) -> None:
    ends_ms = desk.operator.clock.now_ms() + 2 * DAY_MS
    case = desk.open_case(desk.disclosure(expires_at=documents.write_instant(ends_ms)))
    assert due(desk, case)["document-end"].due_ms == ends_ms
    desk.warrants.handling.closed(case.id, others.receipt(case))
    assert "document-end" not in due(desk, case)


def test_reviewers_are_due_until_they_have_decided(desk: Desk) -> None:
    desk.messages.changes = {"bystanders": 200}
    case = desk.open_case(desk.disclosure())
    item = due(desk, case)["review"]
    assert (item.standing.value, item.due_ms) == ("open", case.received_ms + 72 * HOUR_MS)
    for name in ("ra-on", "sol-bi"):
        desk.warrants.decide(case.id, desk.review(case, name), reviewer(name))
    assert standings(desk, case)["review"] == "done"


def test_an_order_is_due_to_be_preserved_and_then_to_end(desk: Desk) -> None:
    case = desk.open_case(desk.signed(documents.preservation(desk.pki)))
    assert standings(desk, case) == {"preserve-scope": "open", "preservation-end": "ends"}
    desk.warrants.handling.preserved(case.id)
    assert standings(desk, case) == {"preserve-scope": "done", "preservation-end": "ends"}


def test_a_second_request_ends_by_itself(desk: Desk, granted: Case) -> None:
    content, sealed = desk.supplementary(granted)
    second = desk.open_case(content, sealed)
    assert due(desk, second)["unmask-end"].due_ms == desk.operator.clock.now_ms() + 14 * DAY_MS


def test_a_duty_done_says_who_when_and_how_and_is_logged(desk: Desk, others: Others, granted: Case) -> None:
    others.delivered(granted)
    desk.operator.clock.advance(DAY_MS)
    item = settle(desk, granted, "notify-subjects", reason="  우편 통지, 등기  ")
    assert item.standing.value == "done"
    assert item.settled is not None
    assert (item.settled.who, item.settled.reason) == ("person/operator/na-bi", "우편 통지, 등기")
    assert item.settled.at_ms == desk.operator.clock.now_ms()
    (leaf,) = desk.leaves("duty-done")
    assert dict(leaf.magnitudes) == {}
    assert settle(desk, granted, "notify-subjects", reason="우편 통지, 등기") == item
    assert len(desk.leaves("duty-done")) == 1
    assert refusal(desk, granted, "notify-subjects", reason="anew") == "DUE_STATE"


def test_notification_waits_only_on_a_ground_and_not_for_ever(
    desk: Desk, others: Others, granted: Case
) -> None:
    others.delivered(granted)
    now_ms = desk.operator.clock.now_ms()
    until_ms = now_ms + 90 * DAY_MS
    name = "notify-subjects"
    assert refusal(desk, granted, name, until_ms=until_ms) == "DUE_GROUND"
    assert refusal(desk, granted, name, until_ms=until_ms, ground="urgent") == "DUE_GROUND"
    assert refusal(desk, granted, name, ground="life-and-limb") == "DUE_GROUND"
    for bad in (until_ms + 1, now_ms):
        assert refusal(desk, granted, name, until_ms=bad, ground="life-and-limb") == "DUE_DEFERRAL"
    item = settle(desk, granted, name, until_ms=until_ms, ground="life-and-limb", reason="승인서 2026-1")
    assert (item.standing.value, item.due_ms) == ("deferred", until_ms)
    assert [leaf.type for leaf in desk.leaves("duty-deferred")] == ["duty-deferred"]
    desk.operator.clock.advance(90 * DAY_MS)
    assert standings(desk, granted)[name] == "overdue"
    assert settle(desk, granted, name).standing.value == "done"


def test_the_suspects_part_falls_away_on_the_policys_grounds_alone(desk: Desk, granted: Case) -> None:
    until_ms = desk.operator.clock.now_ms() + DAY_MS
    assert refusal(desk, granted, "participation", until_ms=until_ms, ground="urgent") == "DUE_DEFERRAL"
    assert refusal(desk, granted, "participation", ground="too-much-work") == "DUE_GROUND"
    assert settle(desk, granted, "participation", ground="urgent").standing.value == "done"


def test_nothing_is_settled_without_a_reason_or_that_is_not_for_people(desk: Desk, granted: Case) -> None:
    assert refusal(desk, granted, "participation", reason=" \n") == "DUE_REASON"
    assert refusal(desk, granted, "participation", reason="가" * 501) == "DUE_REASON"
    assert refusal(desk, granted, "notify-subjects") == "DUE_UNKNOWN"
    assert refusal(desk, granted, "lunch") == "DUE_UNKNOWN"
    order = desk.open_case(desk.signed(documents.preservation(desk.pki)))
    assert refusal(desk, order, "preserve-scope") == "DUE_STATE"
    done = desk.submit(desk.disclosure(offence="jaywalking", number="2026-압수-0009"))
    with pytest.raises(RefusedError) as refused:
        desk.warrants.casebook.settle(
            done.refusal, "participation", OPERATOR, reason="x", ground="", until_ms=None
        )
    assert refused.value.reason == "DUE_UNKNOWN"


def test_what_is_due_comes_earliest_first_and_in_pages(desk: Desk) -> None:
    casebook = desk.warrants.casebook
    for number in range(3):
        desk.operator.clock.advance(1_000)
        desk.open_case(desk.disclosure(number=f"2026-압수-10{number}"))
    settle(desk, desk.tables.page(frozenset(State), None, 1)[0][1], "participation")
    everything, end = casebook.due(confidential=True, with_done=True, size=10, token="")
    assert end == ""
    assert [one.number for one in everything] == ["2026-압수-100", "2026-압수-101", "2026-압수-102"]
    first, token = casebook.due(confidential=True, with_done=False, size=1, token="")
    second, end = casebook.due(confidential=True, with_done=False, size=1, token=token)
    assert [*first, *second] == everything[:2]
    assert end == ""
    with pytest.raises(RefusedError) as refused:
        casebook.due(confidential=True, with_done=False, size=1, token="-1")  # noqa: S106 - a page's token
    assert refused.value.reason == "PAGE_TOKEN"


def test_overdue_duties_are_counted_once_each_and_name_nobody(
    desk: Desk, others: Others, granted: Case
) -> None:
    others.delivered(granted)
    stream = io.StringIO()
    telemetry = Telemetry("test", desk.operator.clock, stream=stream, strict=True)
    watch = Watch(desk.warrants, telemetry)
    assert watch.look() == 0
    desk.operator.clock.advance(31 * DAY_MS)
    assert [watch.look(), watch.look()] == [2, 2]
    assert telemetry.counted("due_items_overdue", kind="notify-subjects") == 1
    assert telemetry.counted("due_items_overdue") == 2
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert {key for line in lines for key in line} <= {
        "event", "level", "service", "time_ms", "case", "kind", "count"
    }  # fmt: skip
    settle(desk, granted, "notify-subjects")
    assert watch.look() == 1


def test_the_watch_refuses_what_reviewers_let_lie(desk: Desk) -> None:
    desk.messages.changes = {"bystanders": 200}
    case = desk.open_case(desk.disclosure())
    watch = Watch(desk.warrants, Telemetry("test", desk.operator.clock, stream=io.StringIO()))
    watch.look()
    desk.operator.clock.advance(72 * HOUR_MS)
    watch.look()
    lapsed = desk.tables.by_id(case.id)
    assert lapsed is not None
    assert lapsed.state is State.REFUSED
    assert lapsed.events[-1].cause.value == "review-lapsed"
