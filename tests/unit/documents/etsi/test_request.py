"""Requests: the claims are the signed ones, never wider than the court's, and always the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

import etsi_support as etsi
from garim.documents import claims
from garim.documents.etsi import write
from garim.documents.etsi.schemas import Schemas
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.testing.pki import DocumentPki, Identity

Reasons = Callable[..., list[str]]


@pytest.fixture(scope="module")
def agency(pki: DocumentPki) -> Identity:
    return etsi.agency(pki)


def court_documents(pki: DocumentPki) -> dict[str, dict[str, Any]]:
    subjects = [
        {"kind": "account", "value": "subject-1"},
        {"kind": "email", "value": "subject@example.org"},
        {"kind": "phone", "value": "+821000001234"},
    ]
    return {
        "disclosure": documents.disclosure(pki, subjects=subjects),
        "supplementary": documents.supplementary(pki),
        "preservation": documents.preservation(pki, subjects=subjects),
        "revocation": documents.revocation(pki, b"first"),
    }


@pytest.mark.parametrize("kind", ["disclosure", "supplementary", "preservation", "revocation"])
def test_a_request_says_what_the_court_said(pki: DocumentPki, agency: Identity, kind: str) -> None:
    court = court_documents(pki)[kind]
    envelope = etsi.opened(pki, etsi.signed(agency, etsi.asked(pki, court)))
    assert claims.read_claims(envelope.payload) == claims.read_claims(documents.payload(court))
    assert [chain[0] for chain in envelope.chains] == [
        etsi.court_opener(pki)(b"").chains[0][0],
        agency.certificate.public_bytes(serialization.Encoding.DER),
    ]


def test_the_same_request_is_the_same_bytes_whatever_its_spelling(pki: DocumentPki, agency: Identity) -> None:
    court = court_documents(pki)["disclosure"]
    first = etsi.asked(pki, court)
    other = court | {"subjects": list(reversed(court["subjects"]))}
    numbers = etsi.new_uuids()
    for _ in range(10):
        numbers()
    second = etsi.asked(pki, court, other, new_uuid=numbers)
    assert first != second
    payloads = {etsi.opened(pki, etsi.signed(agency, one)).payload for one in (first, second)}
    assert len(payloads) == 1


@pytest.mark.parametrize(
    ("field", "narrower"),
    [
        ("subjects", [{"kind": "account", "value": "subject-1"}]),
        ("period", {"from": "2026-11-20T18:00:00+09:00", "to": "2026-11-20T19:00:00+09:00"}),
        ("expires_at", "2026-12-01T00:00:00+09:00"),
    ],
)
def test_a_narrower_request_is_what_counts(
    pki: DocumentPki, agency: Identity, field: str, narrower: Any
) -> None:
    court = court_documents(pki)["disclosure"] | {"period": {"from": "2026-11-20", "to": "2026-11-21"}}
    envelope = etsi.opened(pki, etsi.signed(agency, etsi.asked(pki, court, court | {field: narrower})))
    assert json.loads(envelope.payload)[field] == narrower


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("disclosure", "subjects", [{"kind": "account", "value": "somebody-else"}]),
        ("disclosure", "period", {"from": "2026-10-01", "to": "2026-11-21"}),
        ("disclosure", "expires_at", None),
        ("disclosure", "expires_at", "2027-01-01"),
        ("preservation", "until", "2027-11-01"),
        ("preservation", "subjects", [{"kind": "phone", "value": "+821000009999"}]),
    ],
)
def test_a_wider_request_is_refused_by_field(
    pki: DocumentPki, agency: Identity, reasons: Reasons, kind: str, field: str, value: Any
) -> None:
    court = court_documents(pki)[kind]
    if kind == "disclosure":
        court |= {"expires_at": "2026-12-01"}
    data = etsi.signed(agency, etsi.asked(pki, court, court | {field: value}))
    assert reasons(etsi.opened, pki, data) == ["REQUEST_WIDER"]
    with pytest.raises(RefusedError) as caught:
        etsi.opened(pki, data)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("audience", "TEST 다른메신저"),
        ("court", "TEST 다른법원"),
        ("number", "2026-압수-0099"),
        ("case_number", "2026형제00099"),
        ("issued_at", "2026-11-22T13:30:00+09:00"),
        ("offence", "homicide"),
        ("warrant_type", "search-and-seizure-other"),
        ("mode", "erased"),
        ("recipient", "age1" + "q" * 58),
        ("acknowledger", "ab" * 32),
    ],
)
def test_another_value_than_the_courts_is_refused_by_field(
    pki: DocumentPki, agency: Identity, field: str, value: str
) -> None:
    court = court_documents(pki)["disclosure"]
    wanted = claims.read_claims(documents.payload(court | {field: value}))
    pdf = etsi.stand_in(court)
    how = write.Writing(wanted.authority, wanted.audience, documents.millis(pki), etsi.new_uuids())
    data = etsi.signed(agency, write.request(how, wanted, pdf))
    with pytest.raises(RefusedError) as caught:
        etsi.opened(pki, data)
    assert (caught.value.reason, caught.value.field) == ("REQUEST_DIFFERS", field)


def test_every_difference_is_reported_at_once(pki: DocumentPki, agency: Identity, reasons: Reasons) -> None:
    court = court_documents(pki)["disclosure"]
    wanted = court | {"offence": "homicide", "subjects": [{"kind": "account", "value": "x"}]}
    data = etsi.signed(agency, etsi.asked(pki, court, wanted))
    assert sorted(reasons(etsi.opened, pki, data)) == ["REQUEST_DIFFERS", "REQUEST_WIDER"]


def test_another_kind_than_the_courts_is_refused(
    pki: DocumentPki, agency: Identity, reasons: Reasons
) -> None:
    ours = court_documents(pki)
    wanted = ours["disclosure"] | {"number": ours["preservation"]["number"]}
    data = etsi.signed(agency, etsi.asked(pki, ours["preservation"], wanted))
    assert reasons(etsi.opened, pki, data) == ["REQUEST_DIFFERS"]


def test_an_approval_means_the_courts_own_instant_in_that_second(pki: DocumentPki, agency: Identity) -> None:
    court = documents.disclosure(pki, issued_at="2026-11-22T13:59:00.123+09:00")
    assert etsi.opened(pki, etsi.signed(agency, etsi.asked(pki, court))).payload == documents.payload(court)


def test_pseudonyms_the_court_did_not_name_are_refused(
    pki: DocumentPki, agency: Identity, reasons: Reasons
) -> None:
    court = court_documents(pki)["supplementary"]
    data = etsi.asked(pki, court)
    other = data.replace(b"<task:Value>P-7K4Q2-M9XAT<", b"<task:Value>P-7K4Q2-M9XAU<")
    assert other != data
    assert reasons(etsi.opened, pki, etsi.signed(agency, other)) == ["REQUEST_WIDER"]


def test_fewer_pseudonyms_are_what_counts_with_the_courts_proofs(pki: DocumentPki, agency: Identity) -> None:
    court = court_documents(pki)["supplementary"]
    (first,) = court["identities"]
    grounds = [first["grounds"][0] | {"pseudonyms": ["P-7K4Q2-M9XAT", "P-AAAAA-BBBBB"]}]
    second = first | {"pseudonym": "P-AAAAA-BBBBB", "grounds": grounds}
    court = court | {"identities": [first, second]}
    data = etsi.signed(agency, etsi.asked(pki, court, court | {"identities": [second]}))
    assert json.loads(etsi.opened(pki, data).payload)["identities"] == [second]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"GARIM</NationalProfileOwner>", b"XX</NationalProfileOwner>", "PROFILE_UNKNOWN"),
        (b"<auth:AuthorisationReference>", b"<auth:Surprise/><auth:AuthorisationReference>", "FIELD_UNKNOWN"),
        (b"application/pdf", b"text/plain", "FIELD_VALUE"),
        (b"<doc:DocumentReference>2026-", b"<doc:DocumentReference>2025-", "FIELD_VALUE"),
        (b"<OwnerIdentifier>TEST ", b"<OwnerIdentifier>OTHER ", "FIELD_VALUE"),
        (b"InternationalE164", b"IMSI", "FIELD_VALUE"),
        (
            b"<AssociatedObject>00000000-0000-0000-0000-000000000001",
            b"<AssociatedObject>00000000-0000-0000-0000-00000000000f",
            "LINK_WRONG",
        ),
        (b"LDTaskObject", b"LITaskObject", "OBJECT_UNSUPPORTED"),
        (b"doc:DocumentObject", b"task:LPTaskObject", "REQUEST_SHAPE"),
    ],
)
def test_what_the_profile_does_not_know_is_refused(
    pki: DocumentPki, agency: Identity, reasons: Reasons, old: bytes, new: bytes, reason: str
) -> None:
    data = etsi.asked(pki, court_documents(pki)["disclosure"])
    assert old in data
    assert reasons(etsi.opened, pki, etsi.signed(agency, data.replace(old, new))) == [reason]


@pytest.mark.shared
@pytest.mark.skipif(not etsi.EXAMPLES.is_dir(), reason="the outside test data is absent")
@pytest.mark.parametrize("kind", ["disclosure", "supplementary", "preservation", "revocation"])
def test_what_we_write_validates_against_the_schemas(pki: DocumentPki, agency: Identity, kind: str) -> None:
    schemas = Schemas(etsi.schema_files("v1.23.1"))
    schemas.demand(etsi.signed(agency, etsi.asked(pki, court_documents(pki)[kind])))
    how = etsi.writing(pki)
    schemas.demand(etsi.signed(agency, write.cancellation(how, how.new_uuid(), 1)))
    schemas.demand(etsi.signed(agency, write.query(etsi.writing(pki), [])))
