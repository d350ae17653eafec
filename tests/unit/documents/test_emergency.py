"""Emergency requests: signed by the chief investigator alone, 36 hours, and no other kind like it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from garim.documents import policy as policies
from garim.documents.claims import read_claims
from garim.documents.fields import write_instant
from garim.documents.policy import judge, load_policy
from garim.documents.sign import sign_document
from garim.documents.verify import VerifiedDocument
from garim.testing import documents
from garim.testing.pki import DocumentPki

Verify = Callable[..., VerifiedDocument]
Reasons = Callable[..., list[str]]
KR = Path(policies.__file__).with_name("kr.yaml")
OTHERS = [
    documents.disclosure,
    documents.supplementary,
    documents.preservation,
    lambda pki: documents.revocation(pki, b"x"),
]


def test_the_chief_investigator_alone_signs_an_emergency_request(pki: DocumentPki, verify: Verify) -> None:
    found = verify(documents.signed_alone(pki, documents.emergency(pki)))
    assert (found.kind, found.court, found.chief.role) == (
        "emergency-preservation",
        None,
        "chief-investigator",
    )
    assert found.signers == (found.chief,)


@pytest.mark.parametrize("make", OTHERS)
def test_no_other_kind_passes_with_the_chief_investigators_signature_alone(
    pki: DocumentPki, verify: Verify, reasons: Reasons, make: Callable[[DocumentPki], dict[str, Any]]
) -> None:
    verify(documents.signed(pki, make(pki)))
    assert reasons(verify, documents.signed_alone(pki, make(pki))) == ["ROLES_WRONG"]


@pytest.mark.parametrize("make", [*OTHERS, documents.emergency])
def test_nothing_passes_with_a_judges_signature_alone(
    pki: DocumentPki, verify: Verify, reasons: Reasons, make: Callable[[DocumentPki], dict[str, Any]]
) -> None:
    data = sign_document(documents.payload(make(pki)), pki.judge.signer)
    assert reasons(verify, data) == ["ROLES_WRONG"]


def test_an_emergency_request_with_a_courts_signature_is_refused(
    pki: DocumentPki, verify: Verify, reasons: Reasons
) -> None:
    assert reasons(verify, documents.signed(pki, documents.emergency(pki))) == ["ROLES_WRONG"]


@pytest.mark.parametrize("make", OTHERS)
def test_what_another_kind_asks_for_cannot_stand_under_the_name_of_an_emergency(
    pki: DocumentPki, verify: Verify, reasons: Reasons, make: Callable[[DocumentPki], dict[str, Any]]
) -> None:
    named = make(pki) | {"kind": "emergency-preservation"}
    assert set(reasons(verify, documents.signed_alone(pki, named))) <= {"FIELD_UNKNOWN", "FIELD_MISSING"}


@pytest.mark.parametrize(
    "kind", ["Emergency-preservation", "emergency-preservation ", ["emergency-preservation"]]
)
def test_the_kind_has_one_spelling(pki: DocumentPki, verify: Verify, reasons: Reasons, kind: object) -> None:
    assert reasons(verify, documents.signed_alone(pki, documents.emergency(pki, kind=kind))) == [
        "FIELD_VALUE"
    ]


def test_a_repeated_kind_is_refused(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    payload = documents.payload(documents.disclosure(pki))
    twice = payload[:-1] + b',"kind":"emergency-preservation"}'
    assert reasons(verify, sign_document(twice, pki.chief.signer)) == ["JSON_DUPLICATE_KEY"]


def test_an_emergency_request_lasts_36_hours_from_its_issue_at_most(
    pki: DocumentPki, reasons: Reasons
) -> None:
    issued = documents.millis(pki) - 3_600_000
    longest = issued + 36 * 3_600_000
    read_claims(documents.payload(documents.emergency(pki, until=write_instant(longest))))
    longer = documents.payload(documents.emergency(pki, until=write_instant(longest + 1)))
    assert reasons(read_claims, longer) == ["FIELD_VALUE"]


def test_policy_may_allow_less_than_36_hours(pki: DocumentPki) -> None:
    claims = read_claims(documents.payload(documents.emergency(pki)))
    now = documents.millis(pki)
    assert judge(claims, load_policy(KR.read_bytes()), now) == []
    strict = load_policy(KR.read_bytes().replace(b"hours: 36\n", b"hours: 24\n"))
    assert [one.reason for one in judge(claims, strict, now)] == ["EMERGENCY_TOO_LONG"]


def test_an_emergency_request_keeps_to_the_limits_of_every_order(pki: DocumentPki) -> None:
    policy, now = load_policy(KR.read_bytes()), documents.millis(pki)
    for changes, reason in (
        ({"subjects": []}, "SUBJECTS_MISSING"),
        ({"period": {"from": write_instant(now - 7_200_000), "to": write_instant(now)}}, "PERIOD_NOT_PAST"),
    ):
        claims = read_claims(documents.payload(documents.emergency(pki, **changes)))
        assert [one.reason for one in judge(claims, policy, now)] == [reason]
