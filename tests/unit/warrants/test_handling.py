"""What redaction records of a case counts only as custody, the log or the recipient has signed it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from garim.kit.convert import Logged
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.warrants.cases import Case
from garim.warrants.machine import State
from warrants_support.desk import Desk, reviewer
from warrants_support.steps import Others


def reason(call: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as refused:
        call()
    return refused.value.reason


def test_a_case_goes_from_closed_to_delivered_to_acknowledged(
    desk: Desk, others: Others, granted: Case
) -> None:
    handling = desk.warrants.handling
    receipt = others.receipt(granted)
    for _ in range(2):
        handling.closed(granted.id, receipt)
    assert others.now(granted).state is State.DOSSIER_CLOSED
    body, entry = others.delivery()
    desk.operator.clock.advance(1_000)
    for _ in range(2):
        handling.delivered(granted.id, body, entry.proof)
    case = others.now(granted)
    assert case.delivery is not None
    assert (case.delivery.delivered_ms, case.delivery.delivered_index) == (entry.time_ms, entry.index)
    for _ in range(2):
        handling.acknowledged(granted.id, others.acknowledgement())
    case = others.now(granted)
    assert case.state is State.ACKNOWLEDGED
    assert [one.cause.value for one in case.events][-3:] == ["dossier-closed", "delivered", "acknowledged"]


def test_a_later_delivery_moves_nothing_so_that_duties_count_from_the_first(
    desk: Desk, others: Others, granted: Case
) -> None:
    first = others.delivered(granted)
    desk.operator.clock.advance(1_000)
    body, entry = others.delivery()
    desk.warrants.handling.delivered(granted.id, body, entry.proof)
    assert others.now(granted) == first


def test_a_receipt_counts_only_from_custody_logged_by_custody_for_this_document(
    desk: Desk, others: Others, granted: Case
) -> None:
    closed = desk.warrants.handling.closed
    genuine = others.receipt(granted)
    forged = others.receipt(granted, messages=1)
    wrong_signer = Logged(genuine.statement, forged.proof)
    assert reason(lambda: closed(granted.id, wrong_signer)) == "LOG_COMMITMENT"
    assert reason(lambda: closed(granted.id, others.receipt(granted, by="redaction"))) == "LOG_ACTOR"
    assert reason(lambda: closed(granted.id, others.receipt(granted, document="ab" * 32))) == "STEP_OTHER"
    assert (
        reason(lambda: closed(granted.id, others.receipt(granted, key="warrants"))) == "STATEMENT_SIGNATURE"
    )
    assert others.now(granted).delivery is None
    closed(granted.id, genuine)
    assert reason(lambda: closed(granted.id, forged)) == "STEP_OTHER"


def test_a_delivery_counts_only_as_redaction_logged_it_for_this_dossier(
    desk: Desk, others: Others, granted: Case
) -> None:
    handling = desk.warrants.handling
    body, entry = others.delivery()
    assert reason(lambda: handling.delivered(granted.id, body, entry.proof)) == "STEP_MISSING"
    handling.closed(granted.id, others.receipt(granted))
    other, logged = others.delivery(dossier="33" * 16)
    assert reason(lambda: handling.delivered(granted.id, other, logged.proof)) == "STEP_OTHER"
    foreign, logged_by_custody = others.delivery(by="custody")
    assert reason(lambda: handling.delivered(granted.id, foreign, logged_by_custody.proof)) == "LOG_ACTOR"
    unlogged = body.replace(b'"offset":0', b'"offset":1')
    assert reason(lambda: handling.delivered(granted.id, unlogged, entry.proof)) == "LOG_COMMITMENT"
    assert others.now(granted).state is State.DOSSIER_CLOSED


def test_an_acknowledgement_counts_only_from_the_named_certificate_for_this_package(
    desk: Desk, others: Others, granted: Case
) -> None:
    handling = desk.warrants.handling
    assert reason(lambda: handling.acknowledged(granted.id, others.acknowledgement())) == "STEP_MISSING"
    others.delivered(granted)
    other = others.acknowledgement("00" * 32)
    assert reason(lambda: handling.acknowledged(granted.id, other)) == "ACKNOWLEDGEMENT_DIGEST"
    desk.warrants.cancel(granted.id, desk.cancel(granted), reviewer("ra-on"))
    handling.acknowledged(granted.id, others.acknowledgement())
    case = others.now(granted)
    assert case.state is State.CANCELLED
    assert case.delivery is not None
    assert case.delivery.acknowledged_ms is not None


def test_nothing_is_delivered_of_a_cancelled_case(desk: Desk, others: Others, granted: Case) -> None:
    handling = desk.warrants.handling
    handling.closed(granted.id, others.receipt(granted))
    desk.warrants.cancel(granted.id, desk.cancel(granted), reviewer("ra-on"))
    body, entry = others.delivery()
    assert reason(lambda: handling.delivered(granted.id, body, entry.proof)) == "CASE_STATE"


def test_steps_of_what_is_not_there_or_of_another_kind_are_refused(desk: Desk, others: Others) -> None:
    handling = desk.warrants.handling
    order = desk.open_case(desk.signed(documents.preservation(desk.pki)))
    assert reason(lambda: handling.preserved(b"0" * 16)) == "CASE_UNKNOWN"
    assert reason(lambda: handling.acknowledged(b"0" * 16, b"")) == "CASE_UNKNOWN"
    assert reason(lambda: handling.acknowledged(order.id, b"")) == "CASE_STATE"
    assert reason(lambda: handling.closed(order.id, others.receipt(order))) == "CASE_TRANSITION"
