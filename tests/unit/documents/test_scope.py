from __future__ import annotations

from garim.documents import claims, scope
from garim.statements.grants import Period, Subject
from garim.testing import documents
from garim.testing.pki import DocumentPki


def read(members: dict[str, object]) -> claims.Claims:
    return claims.read_claims(documents.payload(members))


def test_subjects_are_sorted_by_kind_and_value_whatever_the_documents_order(pki: DocumentPki) -> None:
    named = [
        {"kind": "phone", "value": "+821000001234"},
        {"kind": "account", "value": "subject-2"},
        {"kind": "account", "value": "subject-1"},
    ]
    read_claims = read(documents.disclosure(pki, subjects=named))
    assert isinstance(read_claims, claims.Disclosure)
    derived = scope.disclosure_scope(read_claims)
    assert derived.subjects == (
        Subject(kind="account", value="subject-1"),
        Subject(kind="account", value="subject-2"),
        Subject(kind="phone", value="+821000001234"),
    )
    assert derived.period == Period(start=read_claims.period.start_ms, end=read_claims.period.end_ms)
    assert derived[2:] == ("sealed", documents.RECIPIENT, read_claims.acknowledger)


def test_a_preservation_order_keeps_its_subjects_period_and_end(pki: DocumentPki) -> None:
    read_claims = read(documents.preservation(pki))
    assert isinstance(read_claims, claims.Preservation)
    derived = scope.preservation_scope(read_claims)
    assert derived.until == read_claims.until_ms
    assert derived.subjects == (Subject(kind="account", value="subject-1"),)


def test_identities_are_sorted_by_pseudonym_and_grounds_by_number(pki: DocumentPki) -> None:
    members = documents.supplementary(pki)
    first = members["identities"][0]
    other = {**first, "pseudonym": "P-22222-33333", "sealed_sha256": "55" * 32}
    ground = first["grounds"][0]
    other["grounds"] = [
        {**ground, "message": number, "pseudonyms": ["P-22222-33333"]} for number in ("C3-0127", "C1-0002")
    ]
    read_claims = read({**members, "identities": [first, other]})
    assert isinstance(read_claims, claims.Supplementary)
    derived = scope.unmask_scope(read_claims)
    assert [one.pseudonym for one in derived.identities] == ["P-22222-33333", "P-7K4Q2-M9XAT"]
    assert derived.identities[0].messages == ("C1-0002", "C3-0127")
    assert derived.identities[1].sealed == "33" * 32
    assert (derived.first, derived.dossier, derived.recipient) == ("11" * 32, "22" * 16, documents.RECIPIENT)
