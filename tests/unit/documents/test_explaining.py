"""What is said of a document offline: every reason, each with its legal basis."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from garim.documents import policy as policies
from garim.documents.explaining import Explained, Measure, explain
from garim.documents.formats import open_document
from garim.documents.media_types import JWS_MEDIA_TYPE
from garim.documents.policy import Policy, load_policy
from garim.testing import documents
from garim.testing.pki import YEAR, DocumentPki

KR = Path(policies.__file__).with_name("kr.yaml")


@pytest.fixture(scope="module")
def kr() -> Policy:
    return load_policy(KR.read_bytes())


@pytest.fixture
def measure(pki: DocumentPki, kr: Policy) -> Measure:
    anchors = tuple(x509.load_pem_x509_certificate(one.certificate.encode()) for one in pki.anchors)
    crls = tuple(pki.crls)
    return Measure(kr, documents.millis(pki), trusted=anchors, crls=crls, audience=documents.AUDIENCE)


def told(data: bytes, measure: Measure) -> Explained:
    return explain(JWS_MEDIA_TYPE, data, open_document, measure)


def codes(found: Explained) -> list[str]:
    return [one.reason for one, _ in found.reasons]


def changed(measure: Measure, **changes: Any) -> Measure:
    members = {name: getattr(measure, name) for name in measure.__slots__}
    return Measure(**(members | changes))


def test_a_good_document_is_accepted_without_any_reason(pki: DocumentPki, measure: Measure) -> None:
    for data in (
        documents.signed(pki, documents.disclosure(pki)),
        documents.signed_alone(pki, documents.emergency(pki)),
    ):
        found = told(data, measure)
        assert (found.accepted, found.signatures.valid, found.signatures.reasons) == (True, True, ())
    assert len(told(documents.signed(pki, documents.disclosure(pki)), measure).signatures.signers) == 2


def test_without_trust_the_signature_is_judged_and_the_document_not_accepted(
    pki: DocumentPki, measure: Measure
) -> None:
    found = told(documents.signed(pki, documents.disclosure(pki)), changed(measure, trusted=()))
    assert found.signatures.valid
    assert [one.reason for one in found.signatures.reasons] == ["TRUST_NOT_CHECKED"]
    assert codes(found) == ["TRUST_NOT_CHECKED"]


def test_without_lists_it_says_that_revocation_was_not_checked(pki: DocumentPki, measure: Measure) -> None:
    found = told(documents.signed(pki, documents.disclosure(pki)), changed(measure, crls=None))
    assert found.accepted
    assert [one.reason for one in found.signatures.reasons] == ["REVOCATION_NOT_CHECKED"]


def test_foreign_trust_and_missing_lists_make_the_signature_not_valid(
    pki: DocumentPki, measure: Measure
) -> None:
    data = documents.signed(pki, documents.disclosure(pki))
    for changes, code in (
        ({"trusted": measure.trusted[:1]}, "CHAIN_UNTRUSTED"),
        ({"crls": ()}, "CRL_MISSING"),
    ):
        found = told(data, changed(measure, **changes))
        assert not found.signatures.valid
        assert code in codes(found)


def test_outside_the_certificates_life_the_signature_is_not_valid(pki: DocumentPki, measure: Measure) -> None:
    later = measure.at_ms + round(10 * YEAR.total_seconds() * 1000)
    found = told(documents.signed(pki, documents.disclosure(pki)), changed(measure, at_ms=later, trusted=()))
    assert not found.signatures.valid
    assert "CERTIFICATE_NOT_VALID_NOW" in codes(found)


def test_a_forged_payload_is_no_valid_signature(pki: DocumentPki, measure: Measure) -> None:
    members = json.loads(documents.signed(pki, documents.disclosure(pki)))
    other = json.loads(documents.signed(pki, documents.disclosure(pki, number="2026-압수-0007")))
    found = told(json.dumps(members | {"payload": other["payload"]}).encode(), measure)
    assert (found.signatures.valid, found.accepted) == (False, False)
    assert "SIGNATURE_WRONG" in codes(found)


def test_reasons_of_every_stage_come_together_each_with_its_basis(pki: DocumentPki, measure: Measure) -> None:
    members = documents.disclosure(
        pki, audience="x", offence="jaywalking", warrant_type="interception-permission", subjects=[]
    )
    found = told(documents.signed_alone(pki, members), measure)
    assert found.signatures.valid
    assert codes(found) == [
        "ROLES_WRONG",
        "AUDIENCE_WRONG",
        "OFFENCE_NOT_LISTED",
        "WARRANT_TYPE_REFUSED",
        "SUBJECTS_MISSING",
    ]
    assert all(basis for _, basis in found.reasons)
    bases = {one.reason: basis for one, basis in found.reasons}
    assert "대법원 2016도8137" in bases["WARRANT_TYPE_REFUSED"]


def test_what_intake_refuses_is_not_accepted(pki: DocumentPki, measure: Measure) -> None:
    for data in (b"", b"{}", b"%PDF-1.7", documents.signed(pki, documents.emergency(pki))):
        assert not told(data, measure).accepted
    assert "FORMAT_UNKNOWN" in codes(explain("application/x-test", b"x", open_document, measure))
