"""After a log's succession: a grant that is still asked for is logged anew; it stays the same grant."""

from __future__ import annotations

import pytest

from garim.kit.identity import service_id
from garim.statements.refusal import RefusedError
from garim.testing.operator import MESH
from garim.testing.succession import succeeded
from garim.warrants.cases import Case
from garim.warrants.machine import State
from warrants_support.desk import Desk, reviewer


def lose_log(desk: Desk) -> None:
    desk.ledger.flush()
    desk.operator.audit = succeeded(desk.operator.governance, desk.operator.audit)
    desk.caller.audit = desk.operator.audit


def verified(desk: Desk, case: Case, kind: str) -> None:
    assert case.statement is not None
    desk.ledger.verify(
        case.statement.statement.payload,
        case.statement.proof,
        kind=kind,
        actor=service_id(MESH, "warrants"),
    )


def test_a_grant_is_logged_anew_when_it_is_asked_for(desk: Desk) -> None:
    case = desk.open_case(desk.disclosure())
    lose_log(desk)
    with pytest.raises(RefusedError, match="LOG_SUCCEEDED"):
        verified(desk, case, "disclosure-granted")
    shown = desk.warrants.show(case.id).case
    verified(desk, shown, "disclosure-granted")
    assert case.statement is not None
    assert shown.statement is not None
    assert shown.statement.statement == case.statement.statement
    assert len(desk.leaves("disclosure-granted")) == 1
    assert desk.warrants.show(case.id).case.statement == shown.statement


def test_a_second_request_filed_again_reaches_custody_with_its_new_proof(desk: Desk) -> None:
    first = desk.open_case(desk.disclosure())
    content, sealed = desk.supplementary(first)
    case = desk.open_case(content, sealed)
    lose_log(desk)
    again = desk.open_case(content, sealed)
    verified(desk, again, "unmask-granted")
    assert again.request == case.request
    assert again.statement is not None
    assert [grant.proof for _, grant in desk.custody.requests.values()] == [again.statement.proof]


def test_a_cancelled_case_stays_cancelled(desk: Desk) -> None:
    case = desk.open_case(desk.disclosure())
    desk.warrants.cancel(case.id, desk.cancel(case), reviewer("ra-on"))
    lose_log(desk)
    assert desk.warrants.show(case.id).case.state is State.CANCELLED
    assert not desk.leaves("disclosure-granted")
