"""Drafting and signing, as rehearsals do it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from garim.documents import draft, sign
from garim.documents.verify import VerifiedDocument
from garim.testing import documents
from garim.testing.pki import AUTHORITY, DocumentPki, issue_person

Reasons = Callable[..., list[str]]


def test_a_drafted_document_signed_in_two_steps_is_verified(
    pki: DocumentPki, verify: Callable[..., VerifiedDocument]
) -> None:
    payload = draft.draft_preservation(
        documents.common(pki),
        subjects=[("account", "a")],
        period=("2026-11-01", "2026-11-02"),
        until="2026-12-01",
    )
    envelope = sign.add_signature(sign.start_envelope(payload), *pki.chief.signer)
    assert verify(sign.add_signature(envelope, *pki.judge.signer)).payload == payload


def test_a_draft_is_checked_as_a_receiver_checks_it(pki: DocumentPki, reasons: Reasons) -> None:
    assert reasons(draft.draft, "revocation", documents.common(pki)) == ["FIELD_MISSING"] * 2
    assert reasons(draft.draft, "warrant", documents.common(pki)) == ["FIELD_VALUE"]


def test_a_third_signature_is_refused(pki: DocumentPki, reasons: Reasons) -> None:
    full = documents.signed(pki, documents.disclosure(pki))
    assert reasons(sign.add_signature, full, *pki.chief.signer) == ["ENVELOPE_SIGNATURES"]


@pytest.mark.parametrize(
    "data", [b"{}", b'{"payload":"YQ","signatures":{}}', b'{"payload":"YQ","signatures":[],"x":1}']
)
def test_only_an_envelope_is_signed(pki: DocumentPki, reasons: Reasons, data: bytes) -> None:
    assert reasons(sign.add_signature, data, *pki.chief.signer) == ["ENVELOPE_MEMBERS"]


def test_a_key_signs_only_with_its_own_certificate(pki: DocumentPki, reasons: Reasons) -> None:
    empty = sign.start_envelope(b"payload")
    assert reasons(sign.add_signature, empty, pki.judge.key, pki.chief.chain) == ["KEY_ALGORITHM_MISMATCH"]
    assert reasons(sign.add_signature, empty, pki.judge.key, ()) == ["KEY_ALGORITHM_MISMATCH"]


def test_another_curve_signs_nothing(pki: DocumentPki, reasons: Reasons) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    other = issue_person(pki.court_ca, "TEST", "TEST-9", AUTHORITY, pki.now, policies=[], key=key)
    assert reasons(sign.add_signature, sign.start_envelope(b"x"), *other.signer) == ["KEY_ALGORITHM_MISMATCH"]


@pytest.mark.parametrize(
    ("kind", "written", "normal"),
    [
        ("phone", "010-0000-1234", "+821000001234"),
        ("phone", "０１０ ００００ １２３４", "+821000001234"),
        ("phone", "02-000-1234", "+8220001234"),
        ("phone", "+82 10 0000 1234", "+821000001234"),
        ("email", " Someone@Example.ORG ", "someone@example.org"),
        ("account", "\u1103\u1161\u1105\u1161\u11b7", "다람"),
    ],
)
def test_identifiers_are_brought_into_the_form_of_tags(kind: str, written: str, normal: str) -> None:
    assert draft.normalise_identifier(kind, written) == normal


@pytest.mark.parametrize("written", ["", "12", "00-0000-0000", "phone", "+0123456789", "010-0000-12345678"])
def test_what_is_no_phone_number_is_refused(reasons: Reasons, written: str) -> None:
    assert reasons(draft.normalise_identifier, "phone", written) == ["FIELD_VALUE"]
