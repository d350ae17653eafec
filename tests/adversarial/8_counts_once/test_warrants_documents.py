from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from garim.documents import sign
from garim.documents.x509 import ROLE_POLICIES, Role
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.testing.pki import COURT, issue_person
from garim.warrants.machine import State
from warrants_support.attacks import malleated
from warrants_support.desk import Desk, payload_of, reviewer


def test_a_document_replayed_any_number_of_times_is_one_case_and_one_grant(desk: Desk) -> None:
    content = desk.disclosure()
    with ThreadPoolExecutor(4) as pool:
        cases = {desk_case.id for desk_case in pool.map(desk.open_case, [content] * 8)}
    assert len(cases) == 1
    assert len(desk.leaves("disclosure-granted")) == 1


def test_a_malleated_signature_makes_no_second_document(desk: Desk) -> None:
    content = desk.disclosure()
    first = desk.open_case(content)
    again = desk.open_case(malleated(content))
    assert again == first
    assert again.document.content == content


def test_the_same_payload_signed_anew_by_another_judge_is_the_same_document(desk: Desk) -> None:
    content = desk.disclosure()
    first = desk.open_case(content)
    pki = desk.pki
    other = issue_person(
        pki.court_ca,
        "TEST 판사 고은별",
        "TEST-0099",
        COURT,
        pki.now,
        policies=[ROLE_POLICIES[Role.COURT]],
        key=ec.generate_private_key(ec.SECP256R1()),
    )
    anew = sign.sign_document(payload_of(content), other.signer, pki.chief.signer)
    assert desk.open_case(anew) == first
    assert len(desk.leaves("disclosure-granted")) == 1


def test_whitespace_in_the_payload_makes_another_document_that_its_number_refuses(desk: Desk) -> None:
    members = documents.disclosure(desk.pki)
    desk.open_case(desk.signed(members))
    spaced = json.dumps(members, ensure_ascii=False).encode()
    other = sign.sign_document(spaced, desk.pki.judge.signer, desk.pki.chief.signer)
    assert desk.reasons(other) == ["DOCUMENT_NUMBER_USED"]


def test_a_first_document_is_not_taken_as_a_second(desk: Desk) -> None:
    content = desk.disclosure()
    first = desk.open_case(content)
    for replay in (content, malleated(content)):
        done = desk.submit(replay, [b"sealed identity of nobody"])
        assert done.case == first
        assert done.case.request == b""
    assert desk.custody.requests == {}
    assert desk.leaves("unmask-granted") == []


@pytest.mark.parametrize("kind", ["supplementary", "preservation", "revocation"])
def test_a_number_used_for_one_kind_serves_no_other(desk: Desk, kind: str) -> None:
    first = desk.open_case(desk.disclosure())
    number = first.identity.number
    attachments: list[bytes] = []
    if kind == "supplementary":
        content, attachments = desk.supplementary(first, number=number)
    elif kind == "preservation":
        content = desk.signed(documents.preservation(desk.pki, number=number))
    else:
        content = desk.signed(documents.revocation(desk.pki, first.payload, number=number))
    assert desk.reasons(content, attachments) == ["DOCUMENT_NUMBER_USED"]
    found = desk.tables.by_id(first.id)
    assert found is not None
    assert found.state is State.GRANTED


def test_a_second_document_is_not_used_in_another_case(desk: Desk) -> None:
    first = desk.open_case(desk.disclosure())
    other = desk.open_case(desk.disclosure(number="2026-압수-0009", case_number="2026형제00009"))
    content, sealed = desk.supplementary(first)
    case = desk.open_case(content, sealed)
    with ThreadPoolExecutor(4) as pool:
        again = {one.request for one in pool.map(lambda _: desk.open_case(content, sealed), range(8))}
    assert again == {case.request}
    members = json.loads(payload_of(content))
    members["first_document"] = other.identity.digest
    assert desk.reasons(desk.signed(members), sealed) == ["FIRST_CASE_NUMBER"]
    assert len(desk.leaves("unmask-granted")) == 1


def test_a_cancelled_case_never_comes_back(desk: Desk) -> None:
    desk.messages.changes = {"bystanders": 200}
    content = desk.disclosure()
    case = desk.open_case(content)
    approvals = {name: desk.review(case, name) for name in ("ra-on", "sol-bi", "yeo-reum")}
    desk.warrants.cancel(case.id, desk.cancel(case), reviewer("ra-on"))
    for name, approval in approvals.items():
        with pytest.raises(RefusedError, match="CASE_STATE"):
            desk.warrants.decide(case.id, approval, reviewer(name))
    desk.restart()
    for replay in (content, malleated(content)):
        assert desk.open_case(replay).state is State.CANCELLED
    assert desk.reasons(desk.disclosure(mode="erased")) == ["DOCUMENT_NUMBER_USED"]
    assert desk.leaves("disclosure-granted") == []
    assert desk.custody.requests == {}


def test_a_granted_case_that_is_revoked_stays_so_whatever_is_submitted(desk: Desk) -> None:
    content = desk.disclosure()
    case = desk.open_case(content)
    revocation = desk.signed(documents.revocation(desk.pki, case.payload))
    desk.open_case(revocation)
    for replay in (content, malleated(content), revocation, malleated(revocation)):
        assert desk.open_case(replay).state is State.CANCELLED
    second, sealed = desk.supplementary(case)
    assert desk.reasons(second, sealed) == ["FIRST_NOT_GRANTED"]


def test_a_race_of_submissions_under_one_number_has_one_winner(desk: Desk) -> None:
    contents = [desk.disclosure(mode=mode) for mode in ("sealed", "erased")]
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(desk.submit, contents))
    winners = [one.case for one in done if one.case is not None]
    assert len(winners) == 1
    assert [one.reason for result in done for one in result.reasons] == ["DOCUMENT_NUMBER_USED"]
    digests = {hashlib.sha256(payload_of(content)).hexdigest() for content in contents}
    assert winners[0].identity.digest in digests
