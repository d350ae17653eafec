"""The scope of a document, as grants state it."""

from __future__ import annotations

from garim.documents import scope
from garim.documents.claims import Disclosure, Preservation, Supplementary, read_claims
from garim.testing import documents
from garim.testing.pki import DocumentPki


def test_subjects_are_sorted_and_the_period_is_in_milliseconds(pki: DocumentPki) -> None:
    subjects = [
        {"kind": "phone", "value": "+821000001234"},
        {"kind": "account", "value": "b"},
        {"kind": "account", "value": "a"},
    ]
    period = {"from": "2026-11-01", "to": "2026-11-01T00:00:00.001+09:00"}
    claims = read_claims(documents.payload(documents.disclosure(pki, subjects=subjects, period=period)))
    assert isinstance(claims, Disclosure)
    assert [(one.kind, one.value) for one in scope.subjects_of(claims)] == [
        ("account", "a"),
        ("account", "b"),
        ("phone", "+821000001234"),
    ]
    found = scope.period_of(claims)
    assert found.end - found.start == 1
    assert found.start == claims.period.start_ms


def test_a_preservation_order_is_scoped_like_a_disclosure(pki: DocumentPki) -> None:
    claims = read_claims(documents.payload(documents.preservation(pki)))
    assert isinstance(claims, Preservation)
    assert [(one.kind, one.value) for one in scope.subjects_of(claims)] == [("account", "subject-1")]
    assert scope.period_of(claims).end == claims.period.end_ms


def test_named_pseudonyms_and_their_grounds_are_sorted(pki: DocumentPki) -> None:
    members = documents.supplementary(pki)
    identity = members["identities"][0]
    ground = identity["grounds"][0]
    first = identity | {
        "pseudonym": "PHONE-22222-33333",
        "grounds": [ground | {"message": "C3-0128"}, ground],
    }
    claims = read_claims(documents.payload(members | {"identities": [first, identity]}))
    assert isinstance(claims, Supplementary)
    found = scope.identities_of(claims)
    assert [one.pseudonym for one in found] == ["P-7K4Q2-M9XAT", "PHONE-22222-33333"]
    assert found[1].messages == ("C3-0127", "C3-0128")
    assert found[0].sealed == identity["sealed_sha256"]
