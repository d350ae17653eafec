from __future__ import annotations

import hashlib

import pytest

from garim.documents.fields import write_instant
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.warrants.machine import State
from warrants_support.desk import POLICY, Desk

REFUSE_ALL = POLICY.replace(
    b"refuse_all: null", "refuse_all: {ko: 모든 요청을 거절합니다, en: Every request is refused}".encode()
)


def pin(desk: Desk, policy: bytes) -> None:
    desk.policy = policy
    desk.operator.governance.policy = hashlib.sha256(policy).hexdigest()
    desk.operator.governance.advance()


def test_a_policy_file_that_governance_does_not_pin_judges_nothing(desk: Desk) -> None:
    desk.policy += b"# not pinned\n"
    with pytest.raises(RefusedError, match="POLICY_DIGEST"):
        desk.submit(desk.disclosure())
    with pytest.raises(RefusedError, match="POLICY_DIGEST"):
        desk.warrants.demand_ready()
    assert desk.leaves("document-refused") == []


def test_a_new_policy_file_counts_once_governance_pins_it_without_a_restart(desk: Desk) -> None:
    desk.open_case(desk.disclosure())
    pin(desk, POLICY.replace(b"period_days: 184", b"period_days: 1"))
    end = documents.millis(desk.pki)
    period = {"from": write_instant(end - 4 * 86_400_000), "to": write_instant(end - 86_400_000)}
    assert desk.reasons(desk.disclosure(number="2026-압수-0009", period=period)) == ["PERIOD_TOO_LONG"]


def test_declared_refusal_of_all_refuses_logs_and_counts_every_request(desk: Desk) -> None:
    first = desk.open_case(desk.disclosure())
    pin(desk, REFUSE_ALL)
    second, sealed = desk.supplementary(first)
    assert desk.reasons(desk.disclosure(number="2026-압수-0009")) == ["REFUSE_ALL"]
    assert desk.reasons(second, sealed) == ["REFUSE_ALL"]
    assert len(desk.leaves("document-refused")) == 2
    assert desk.counts["documents_refused", "REFUSE_ALL"] == 2
    done = desk.submit(desk.disclosure(number="2026-압수-0010"))
    assert "모든 요청을 거절합니다" in done.reasons[0].message


def test_a_revocation_works_while_everything_is_refused(desk: Desk) -> None:
    case = desk.open_case(desk.disclosure())
    pin(desk, REFUSE_ALL)
    desk.open_case(desk.signed(documents.revocation(desk.pki, case.payload)))
    found = desk.tables.by_id(case.id)
    assert found is not None
    assert found.state is State.CANCELLED


def test_no_reason_depends_on_whether_an_account_exists(desk: Desk) -> None:
    """What an applicant is told about a document is said before anybody is asked about accounts."""
    for number, value in enumerate(("subject-1", "nobody-at-all")):
        content = desk.disclosure(
            number=f"2026-압수-00{number}",
            offence="jaywalking",
            subjects=[{"kind": "account", "value": value}],
        )
        assert desk.reasons(content) == ["OFFENCE_NOT_LISTED"]
    assert desk.custody.tickets == []
    assert desk.messages.asked == 0
