from __future__ import annotations

import pytest

from garim.statements.cases import CaseStatus
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.testing.operator import MESH
from garim.warrants.machine import UNDECIDED, State
from warrants_support.desk import Desk, reviewer

NONCE = bytes(range(32))


def status(desk: Desk, digest: str, nonce: bytes = NONCE) -> CaseStatus:
    envelope = desk.warrants.status(bytes.fromhex(digest), nonce)
    keys = desk.operator.governance.current().keys_of("warrants")
    return CaseStatus.verify(envelope, keys, mesh=MESH, now=desk.operator.clock.now_ms())


def test_a_status_is_signed_bound_to_the_nonce_and_good_for_a_minute(desk: Desk) -> None:
    case = desk.open_case(desk.disclosure())
    stated = status(desk, case.identity.digest)
    assert (stated.state, stated.nonce) == ("granted", NONCE.hex())
    assert (stated.case, stated.document) == (case.id.hex(), case.identity.digest)
    assert stated.expires - stated.issued == 60_000
    assert stated.checkpoint == desk.ledger.checkpoint_seen()


def test_only_a_granted_case_is_said_to_be_granted(desk: Desk) -> None:
    desk.messages.changes = {"bystanders": 200}
    case = desk.open_case(desk.disclosure())
    assert status(desk, case.identity.digest).state == "in-review"
    desk.warrants.cancel(case.id, desk.cancel(case), reviewer("ra-on"))
    assert status(desk, case.identity.digest).state == "cancelled"
    desk.messages.changes = {"messages": 0}
    case = desk.open_case(desk.disclosure(number="2026-압수-0009"))
    assert status(desk, case.identity.digest).state == "no-data"
    desk.messages.changes = {"bystanders": 10_000}
    case = desk.open_case(desk.disclosure(number="2026-압수-0010"))
    assert status(desk, case.identity.digest).state == "refused"
    revocation = desk.open_case(desk.signed(documents.revocation(desk.pki, case.payload)))
    assert status(desk, revocation.identity.digest).state == "cancelled"


def test_a_grant_that_is_not_committed_is_not_stated(desk: Desk) -> None:
    content = desk.disclosure()
    desk.operator.audit.misbehaviour.silent = True
    with pytest.raises(RefusedError):
        desk.submit(content)
    ((_, case),) = desk.tables.page(frozenset(State), None, 2)
    assert case.state is State.GRANTING
    assert status(desk, case.identity.digest).state == "in-review"


@pytest.mark.parametrize("nonce", [b"", bytes(31), bytes(33)])
def test_a_nonce_is_32_bytes(desk: Desk, nonce: bytes) -> None:
    case = desk.open_case(desk.disclosure())
    with pytest.raises(RefusedError, match="NONCE"):
        status(desk, case.identity.digest, nonce)


@pytest.mark.parametrize("digest", ["", "00" * 31, "00" * 32])
def test_an_unknown_document_has_no_status(desk: Desk, digest: str) -> None:
    with pytest.raises(RefusedError, match="CASE_UNKNOWN"):
        status(desk, digest)


def test_cases_are_listed_newest_first_in_pages_that_new_cases_do_not_shift(desk: Desk) -> None:
    numbers = [f"2026-압수-{number:04}" for number in range(5)]
    for number in numbers:
        desk.open_case(desk.disclosure(number=number))
    everything = frozenset(State)
    page, token = desk.warrants.page(everything, 2, "")
    desk.open_case(desk.disclosure(number="2026-압수-9999"))
    listed = [one.identity.number for one in page]
    while token:
        page, token = desk.warrants.page(everything, 2, token)
        listed += [one.identity.number for one in page]
    assert listed == numbers[::-1]


def test_cases_are_listed_by_state(desk: Desk) -> None:
    desk.open_case(desk.disclosure())
    desk.messages.changes = {"bystanders": 200}
    waiting = desk.open_case(desk.disclosure(number="2026-압수-0009"))
    page, token = desk.warrants.page(UNDECIDED, 0, "")
    assert (page, token) == ([waiting], "")


@pytest.mark.parametrize("token", ["x", "-1", "1.5", "9" * 19, "１"])
def test_a_page_token_is_one_of_ours(desk: Desk, token: str) -> None:
    with pytest.raises(RefusedError, match="PAGE_TOKEN"):
        desk.warrants.page(frozenset(State), 2, token)
