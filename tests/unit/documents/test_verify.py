"""From received bytes to a verified document."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from garim.documents import base64url
from garim.documents.claims import Claims
from garim.documents.envelope import Envelope
from garim.documents.sign import sign_document
from garim.documents.verify import VerifiedDocument
from garim.statements.grants import DocumentId
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.testing.pki import DocumentPki

Reasons = Callable[..., list[str]]
Verify = Callable[..., VerifiedDocument]
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def test_each_kind_is_verified_and_known_by_its_payload(pki: DocumentPki, verify: Verify) -> None:
    for members in (
        documents.disclosure(pki),
        documents.supplementary(pki),
        documents.preservation(pki),
        documents.revocation(pki, b"payload"),
    ):
        found = verify(documents.signed(pki, members))
        assert found.kind == members["kind"]
        assert found.payload == documents.payload(members)
        assert found.digest == hashlib.sha256(found.payload).hexdigest()
        assert found.identity.digest == found.digest


def test_a_malleated_signature_makes_no_other_document(pki: DocumentPki, verify: Verify) -> None:
    data = documents.signed(pki, documents.disclosure(pki))
    envelope = json.loads(data)
    raw = base64url.decode(envelope["signatures"][0]["signature"], field="")
    twin = raw[:32] + (P256_ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    envelope["signatures"][0]["signature"] = base64url.encode(twin)
    malleated = json.dumps(envelope).encode()
    assert malleated != data
    assert verify(malleated) == verify(data)


def test_signing_anew_makes_no_other_document(pki: DocumentPki, verify: Verify) -> None:
    members = documents.disclosure(pki)
    assert verify(documents.signed(pki, members)).identity == verify(documents.signed(pki, members)).identity


def test_another_spelling_of_the_payload_is_another_document(pki: DocumentPki, verify: Verify) -> None:
    members = documents.disclosure(pki)
    spaced = json.dumps(members, indent=1, ensure_ascii=False).encode()
    other = verify(sign_document(spaced, pki.judge.signer, pki.chief.signer))
    assert other.payload == spaced
    assert other.digest != verify(documents.signed(pki, members)).digest


def test_a_document_for_another_operator_is_refused(
    pki: DocumentPki, verify: Verify, reasons: Reasons
) -> None:
    data = documents.signed(pki, documents.disclosure(pki, audience="TEST 다른메신저"))
    assert reasons(verify, data) == ["AUDIENCE_WRONG"]


def test_a_document_from_the_future_is_refused(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    data = documents.signed(pki, documents.disclosure(pki))
    issued = documents.millis(pki) - 3_600_000
    assert reasons(
        verify,
        data,
        now_ms=issued - 1,
        crls=[
            authority.crl(pki.now.replace(hour=pki.now.hour - 2))
            for authority in (pki.court_ca, pki.agency_ca)
        ],
    ) == ["NOT_YET_ISSUED"]


def test_the_authority_must_be_the_chief_investigators(
    pki: DocumentPki, verify: Verify, reasons: Reasons
) -> None:
    data = documents.signed(pki, documents.disclosure(pki, authority="TEST 다른지방검찰청"))
    assert reasons(verify, data) == ["AUTHORITY_MISMATCH"]


def test_the_court_must_be_the_judges(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    data = documents.signed(pki, documents.disclosure(pki, court="TEST 다른지방법원"))
    assert reasons(verify, data) == ["COURT_MISMATCH"]


def test_a_revoked_document_is_refused_by_its_identity(
    pki: DocumentPki, verify: Verify, reasons: Reasons
) -> None:
    asked: list[DocumentId] = []

    def revoked(identity: DocumentId) -> bool:
        asked.append(identity)
        return True

    data = documents.signed(pki, documents.disclosure(pki))
    assert reasons(verify, data, revoked=revoked) == ["DOCUMENT_REVOKED"]
    assert asked == [verify(data).identity]


def test_all_reasons_of_what_it_says_come_together_with_policys(
    pki: DocumentPki, verify: Verify, reasons: Reasons
) -> None:
    members = documents.disclosure(pki, audience="x", authority="y", court="z")

    def further(claims: Claims) -> list[RefusedError]:
        return [RefusedError("OFFENCE_NOT_LISTED", claims.kind)]

    found = reasons(verify, documents.signed(pki, members), revoked=lambda _one: True, further=further)
    assert found == [
        "AUDIENCE_WRONG",
        "AUTHORITY_MISMATCH",
        "COURT_MISMATCH",
        "DOCUMENT_REVOKED",
        "OFFENCE_NOT_LISTED",
    ]


def test_nothing_is_parsed_before_it_is_trusted(
    pki: DocumentPki, verify: Verify, reasons: Reasons, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(payload: bytes) -> Claims:
        pytest.fail(f"read {len(payload)} bytes of an untrusted payload")

    monkeypatch.setattr("garim.documents.verify.read_claims", read)
    wrong = sign_document(b"not even JSON", pki.judge.signer, pki.wrong_role.signer)
    assert reasons(verify, wrong) == ["ROLE_MISSING", "ORGANISATION_NOT_ALLOWED"]
    alone = sign_document(b"not even JSON", pki.judge.signer, pki.judge.signer)
    assert "ROLES_WRONG" in reasons(verify, alone)
    assert reasons(verify, documents.signed(pki, documents.disclosure(pki)), crls=()) == ["CRL_MISSING"] * 2


def test_a_trusted_payload_is_parsed_closed(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    assert reasons(verify, documents.signed(pki, documents.disclosure(pki, extra=1))) == ["FIELD_UNKNOWN"]


def test_an_unknown_format_is_refused(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    data = documents.signed(pki, documents.disclosure(pki))
    assert reasons(verify, data, media_type="application/x-test") == ["FORMAT_UNKNOWN"]


def opened_with(payload: bytes, *chains: tuple[bytes, ...]) -> Callable[[str, bytes], Envelope]:
    return lambda _media_type, _data: Envelope(payload, chains)


def test_what_is_opened_elsewhere_is_judged_all_the_same(
    pki: DocumentPki, verify: Verify, reasons: Reasons
) -> None:
    """Whatever opens envelopes, and whatever it answers: trust, people and claims are judged here."""
    payload = documents.payload(documents.disclosure(pki))
    judge, chief = ((one.certificate.public_bytes(Encoding.DER),) for one in (pki.judge, pki.chief))
    found = verify(b"", media_type="application/x-test", open_document=opened_with(payload, judge, chief))
    assert (found.kind, found.payload) == ("disclosure", payload)
    for chains, reason in (
        ((judge,), "ROLES_WRONG"),
        ((), "ROLES_WRONG"),
        ((judge, chief, chief), "ROLES_WRONG"),
        ((judge, ()), "CHAIN_LENGTH"),
        ((judge, chief * 5), "CHAIN_LENGTH"),
        ((judge, (b"no certificate",)), "CERTIFICATE_UNREADABLE"),
        ((judge, (chief[0] + b"\0",)), "CERTIFICATE_UNREADABLE"),
    ):
        assert reason in reasons(verify, b"", open_document=opened_with(payload, *chains))
    assert reasons(verify, b"", open_document=opened_with(b"{}", judge, chief)) == ["FIELD_MISSING"]
