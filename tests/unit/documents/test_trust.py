"""Whose signature counts: chains, roles, people, validity. Each check has its refusal."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from garim.documents.sign import sign_document
from garim.documents.verify import VerifiedDocument
from garim.documents.x509 import ROLE_POLICIES, Role, TrustPolicy, certificate_sha256, key_sha256
from garim.statements.governance import DocumentAnchor
from garim.testing import documents
from garim.testing.pki import (
    AUTHORITY,
    COURT,
    MAX_CRL_AGE_MS,
    YEAR,
    DocumentPki,
    Identity,
    issue_person,
    make_authority,
    make_mesh,
)

Reasons = Callable[..., list[str]]
Verify = Callable[..., VerifiedDocument]
CHIEF = ROLE_POLICIES[Role.CHIEF_INVESTIGATOR]
JUDGE = ROLE_POLICIES[Role.COURT]
# What the authority adds to a certificate by itself.
OWN = x509.SubjectKeyIdentifier | x509.AuthorityKeyIdentifier | x509.UnrecognizedExtension


def by(pki: DocumentPki, *signers: Identity, **changes: Any) -> bytes:
    payload = documents.payload(documents.disclosure(pki, **changes))
    return sign_document(payload, *(one.signer for one in signers))


def trusting(anchors: tuple[DocumentAnchor, ...]) -> TrustPolicy:
    return TrustPolicy(anchors, MAX_CRL_AGE_MS, development=True)


def chief(pki: DocumentPki, **changes: Any) -> Identity:
    arguments: dict[str, Any] = {
        "authority": pki.agency_ca,
        "name": "TEST 수사책임자",
        "person": "TEST-0100",
        "organisation": AUTHORITY,
        "now": pki.now,
        "policies": [CHIEF],
    }
    return issue_person(**(arguments | changes))


def test_a_document_of_both_roles_is_verified(pki: DocumentPki, verify: Verify) -> None:
    found = verify(by(pki, pki.judge, pki.chief))
    assert (found.court.role, found.court.organisation, found.court.person) == ("court", COURT, "TEST-0001")
    assert (found.chief.role, found.chief.organisation) == ("chief-investigator", AUTHORITY)
    assert found.court.certificate_sha256 == certificate_sha256(pki.judge.certificate)
    assert found.chief.key_sha256 == key_sha256(pki.chief.certificate)


def test_the_order_of_the_signatures_does_not_matter(pki: DocumentPki, verify: Verify) -> None:
    one, other = verify(by(pki, pki.judge, pki.chief)), verify(by(pki, pki.chief, pki.judge))
    assert (one.court, one.chief, one.identity) == (other.court, other.chief, other.identity)


def test_a_chief_investigator_may_sign_with_es256_too(pki: DocumentPki, verify: Verify) -> None:
    assert verify(by(pki, pki.judge, chief(pki))).chief.person == "TEST-0100"


@pytest.mark.parametrize("role", ["judge", "chief"])
def test_two_signatures_in_one_role_are_refused(
    pki: DocumentPki, verify: Verify, reasons: Reasons, role: str
) -> None:
    other = (
        chief(pki)
        if role == "chief"
        else chief(pki, authority=pki.court_ca, organisation=COURT, policies=[JUDGE])
    )
    assert reasons(verify, by(pki, getattr(pki, role), other)) == ["ROLES_WRONG"]


def test_one_certificate_twice_is_refused_for_everything_wrong_with_it(
    pki: DocumentPki, verify: Verify, reasons: Reasons
) -> None:
    assert reasons(verify, by(pki, pki.judge, pki.judge)) == [
        "ROLES_WRONG",
        "SAME_CERTIFICATE",
        "SAME_KEY",
        "SAME_PERSON",
    ]


def test_one_key_in_both_roles_is_refused(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    assert reasons(verify, by(pki, pki.judge, chief(pki, key=pki.judge.key))) == ["SAME_KEY"]


@pytest.mark.parametrize("person", ["TEST-0001", "test-0001"])
def test_one_person_in_both_roles_is_refused(
    pki: DocumentPki, verify: Verify, reasons: Reasons, person: str
) -> None:
    assert reasons(verify, by(pki, pki.judge, chief(pki, person=person))) == ["SAME_PERSON"]


def test_a_namesake_is_another_person(pki: DocumentPki, verify: Verify) -> None:
    assert verify(by(pki, pki.judge, chief(pki, name="TEST 판사 한가람"))).chief.person == "TEST-0100"


def test_the_courts_anchor_does_not_vouch_for_a_chief_investigator(
    pki: DocumentPki, verify: Verify, reasons: Reasons
) -> None:
    assert reasons(verify, by(pki, pki.judge, pki.wrong_role)) == ["ROLE_MISSING", "ORGANISATION_NOT_ALLOWED"]


def test_the_agencys_anchor_does_not_vouch_for_a_court(
    pki: DocumentPki, verify: Verify, reasons: Reasons
) -> None:
    judge = chief(pki, organisation=COURT, policies=[JUDGE])
    assert reasons(verify, by(pki, judge, pki.chief)) == ["ROLE_MISSING", "ORGANISATION_NOT_ALLOWED"]


def test_an_unknown_anchor_is_refused(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    stranger = make_authority("TEST Agency CA", pki.now)
    assert reasons(verify, by(pki, pki.judge, chief(pki, authority=stranger))) == ["CHAIN_UNTRUSTED"]


def test_a_certificate_without_a_role_is_refused(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    assert reasons(verify, by(pki, pki.judge, pki.clerk)) == ["ROLE_MISSING"]


def test_a_certificate_of_both_roles_is_refused(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    assert reasons(verify, by(pki, pki.judge, chief(pki, policies=[CHIEF, JUDGE]))) == ["ROLE_AMBIGUOUS"]


def test_both_signers_reasons_come_together(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    assert reasons(
        verify,
        by(pki, pki.clerk, chief(pki, authority=pki.court_ca, usages=[ExtendedKeyUsageOID.CLIENT_AUTH])),
    ) == [
        "ROLE_MISSING",
        "PURPOSE_REFUSED",
        "ROLE_MISSING",
        "ORGANISATION_NOT_ALLOWED",
    ]


@pytest.mark.parametrize(
    "usages",
    [
        [ExtendedKeyUsageOID.CLIENT_AUTH],
        [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE, x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")],
    ],
)
def test_a_certificate_for_another_purpose_is_refused(
    pki: DocumentPki, verify: Verify, reasons: Reasons, usages: list[x509.ObjectIdentifier]
) -> None:
    assert reasons(verify, by(pki, pki.judge, chief(pki, usages=usages))) == ["PURPOSE_REFUSED"]


def test_a_key_that_may_not_sign_is_refused(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    right = chief(pki)
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=True,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    extensions = [
        (usage if isinstance(one.value, x509.KeyUsage) else one.value, one.critical)
        for one in right.certificate.extensions
        if not isinstance(one.value, OWN)
    ]
    wrong = pki.agency_ca.issue(right.certificate.subject, extensions, valid=(pki.now - YEAR, pki.now + YEAR))
    assert reasons(verify, by(pki, pki.judge, wrong)) == ["PURPOSE_REFUSED"]


def test_an_authority_signs_no_documents(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    right = chief(pki)
    extensions = [
        (
            x509.BasicConstraints(ca=True, path_length=None)
            if isinstance(one.value, x509.BasicConstraints)
            else one.value,
            one.critical,
        )
        for one in right.certificate.extensions
        if not isinstance(one.value, OWN)
    ]
    wrong = pki.agency_ca.issue(right.certificate.subject, extensions, valid=(pki.now - YEAR, pki.now + YEAR))
    assert reasons(verify, by(pki, pki.judge, wrong)) == ["CHAIN_UNTRUSTED"]


def test_an_unknown_critical_extension_is_refused(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.25.1"), b"\x05\x00")
    assert reasons(verify, by(pki, pki.judge, chief(pki, extra=[(unknown, True)]))) == ["CHAIN_UNTRUSTED"]
    assert verify(by(pki, pki.judge, chief(pki, extra=[(unknown, False)])))


def test_a_mesh_identity_signs_no_documents(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    service = make_mesh("test-mesh", pki.now).issue("service/warrants")
    assert reasons(verify, by(pki, pki.judge, service)) == [
        "PURPOSE_REFUSED",
        "PERSON_MISSING",
        "CHAIN_UNTRUSTED",
    ]


@pytest.mark.parametrize("left_out", ["2.5.4.5", "2.5.4.3", "2.5.4.10"])
@pytest.mark.parametrize("times", [0, 2])
def test_a_leaf_names_one_person_and_one_organisation(
    pki: DocumentPki, verify: Verify, reasons: Reasons, left_out: str, times: int
) -> None:
    right = chief(pki).certificate
    parts = [one for one in right.subject if one.oid.dotted_string != left_out]
    parts += [one for one in right.subject if one.oid.dotted_string == left_out] * times
    extensions = [(one.value, one.critical) for one in right.extensions if not isinstance(one.value, OWN)]
    name = x509.Name([x509.RelativeDistinguishedName([part]) for part in parts])
    wrong = pki.agency_ca.issue(name, extensions, valid=(pki.now - YEAR, pki.now + YEAR))
    assert reasons(verify, by(pki, pki.judge, wrong)) == ["PERSON_MISSING"]


def test_a_blank_name_names_nobody(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    assert reasons(verify, by(pki, pki.judge, chief(pki, person=" "))) == ["PERSON_MISSING"]


def test_a_leaf_may_leave_out_that_it_is_no_authority(pki: DocumentPki, verify: Verify) -> None:
    right = chief(pki).certificate
    left_out = OWN | x509.BasicConstraints
    kept = [(one.value, one.critical) for one in right.extensions if not isinstance(one.value, left_out)]
    plain = pki.agency_ca.issue(right.subject, kept, valid=(pki.now - YEAR, pki.now + YEAR))
    assert verify(by(pki, pki.judge, plain)).chief.person == "TEST-0100"


def test_an_intermediate_that_may_not_sign_certificates_is_refused(
    pki: DocumentPki, verify: Verify, reasons: Reasons
) -> None:
    valid = (pki.now - YEAR, pki.now + YEAR)
    middle = pki.agency_ca.subordinate("TEST Middle CA", valid=valid, policies=[CHIEF])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    extensions = [
        (usage if isinstance(one.value, x509.KeyUsage) else one.value, one.critical)
        for one in middle.certificate.extensions
        if not isinstance(one.value, OWN)
    ]
    made = pki.agency_ca.issue(middle.certificate.subject, extensions, valid=valid, key=middle.key)
    weak = dataclasses.replace(middle, certificate=made.certificate, above=made.chain)
    assert reasons(verify, by(pki, pki.judge, chief(pki, authority=weak))) == ["CHAIN_UNTRUSTED"]


def test_an_expired_certificate_is_refused_though_it_was_valid_at_issue(
    pki: DocumentPki, verify: Verify, reasons: Reasons
) -> None:
    issued = "2026-11-15T09:00:00+09:00"
    period = {"from": "2026-11-01", "to": "2026-11-02"}
    data = by(pki, pki.judge, pki.expired, issued_at=issued, period=period)
    assert reasons(verify, data) == ["CERTIFICATE_NOT_VALID_NOW"]


def test_a_certificate_younger_than_the_document_is_refused(
    pki: DocumentPki, verify: Verify, reasons: Reasons
) -> None:
    young = chief(pki, valid=(pki.now - dt.timedelta(minutes=30), pki.now + YEAR))
    assert reasons(verify, by(pki, pki.judge, young)) == ["CERTIFICATE_NOT_VALID_AT_ISSUE"]


def test_an_anchor_younger_than_the_document_is_refused(
    pki: DocumentPki, verify: Verify, reasons: Reasons
) -> None:
    issued = "2024-01-01T00:00:00+09:00"
    period = {"from": "2023-11-01", "to": "2023-11-02"}
    old = [
        chief(pki, valid=(pki.now - 4 * YEAR, pki.now + YEAR)),
        chief(
            pki,
            authority=pki.court_ca,
            person="TEST-0101",
            organisation=COURT,
            policies=[JUDGE],
            valid=(pki.now - 4 * YEAR, pki.now + YEAR),
        ),
    ]
    assert reasons(verify, by(pki, *old, issued_at=issued, period=period)) == ["CHAIN_UNTRUSTED"] * 2


def test_an_agency_its_issuer_may_not_vouch_for_is_refused(
    pki: DocumentPki, verify: Verify, reasons: Reasons
) -> None:
    other = "TEST 다른지방검찰청"
    data = by(pki, pki.judge, chief(pki, organisation=other), authority=other)
    assert reasons(verify, data) == ["ORGANISATION_NOT_ALLOWED"]


def test_only_a_courts_anchor_may_leave_its_organisations_open(
    pki: DocumentPki, verify: Verify, reasons: Reasons
) -> None:
    open_anchors = tuple(one.model_copy(update={"authorities": ()}) for one in pki.anchors)
    trust = trusting((open_anchors[0], pki.anchors[1]))
    assert verify(by(pki, pki.judge, pki.chief), trust=trust)
    trust = trusting(open_anchors)
    assert reasons(verify, by(pki, pki.judge, pki.chief), trust=trust) == ["ORGANISATION_NOT_ALLOWED"]


def test_no_anchor_means_no_document(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    data = by(pki, pki.judge, pki.chief)
    assert reasons(verify, data, trust=trusting(())) == ["TRUST_EMPTY"] * 2
    only_court = trusting(pki.anchors[:1])
    assert reasons(verify, data, trust=only_court) == ["CHAIN_UNTRUSTED"]


def test_one_anchor_may_not_stand_for_both_roles(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    doubled = pki.anchors[0].model_copy(update={"role": "chief-investigator"})
    trust = trusting((*pki.anchors, doubled))
    assert reasons(verify, by(pki, pki.judge, pki.chief), trust=trust) == ["TRUST_AMBIGUOUS"] * 2


@pytest.mark.parametrize("shared", ["name", "key"])
def test_two_anchors_share_neither_name_nor_key(
    pki: DocumentPki, verify: Verify, reasons: Reasons, shared: str
) -> None:
    other = make_authority("TEST Agency CA" if shared == "name" else "TEST Other CA", pki.now)
    if shared == "key":
        certificate = other.issue(
            other.certificate.subject, [], valid=(pki.now, pki.now + YEAR), key=pki.agency_ca.key
        ).certificate
        other = dataclasses.replace(other, certificate=certificate)
    third = pki.anchors[0].model_copy(update={"certificate": other.pem})
    trust = trusting((*pki.anchors, third))
    assert reasons(verify, by(pki, pki.judge, pki.chief), trust=trust) == ["TRUST_AMBIGUOUS"] * 2


@pytest.mark.parametrize("pem", ["", "no PEM", "twice"])
def test_an_unreadable_anchor_closes_everything(
    pki: DocumentPki, verify: Verify, reasons: Reasons, pem: str
) -> None:
    text = pki.court_ca.pem * 2 if pem == "twice" else pem
    broken = pki.anchors[0].model_copy(update={"certificate": text})
    trust = trusting((broken, pki.anchors[1]))
    assert set(reasons(verify, by(pki, pki.judge, pki.chief), trust=trust)) == {"TRUST_UNREADABLE"}


@dataclasses.dataclass(frozen=True)
class Deep:
    chief: Identity
    trust: TrustPolicy
    crls: tuple[bytes, ...]


def deep(pki: DocumentPki, policies: list[x509.ObjectIdentifier], *, listed: bool = True) -> Deep:
    """A chief investigator below an intermediate authority."""
    valid = (pki.now - YEAR, pki.now + YEAR)
    middle = pki.agency_ca.subordinate("TEST Middle CA", valid=valid, policies=policies)
    anchor = pki.anchors[1].model_copy(update={"crl_issuers": (middle.pem,) if listed else ()})
    return Deep(
        chief(pki, authority=middle),
        trusting((pki.anchors[0], anchor)),
        (*pki.crls, middle.crl(pki.now)),
    )


def test_an_intermediate_authority_that_may_bind_the_role_is_followed(
    pki: DocumentPki, verify: Verify
) -> None:
    made = deep(pki, [CHIEF])
    assert (
        verify(by(pki, pki.judge, made.chief), trust=made.trust, crls=made.crls).chief.person == "TEST-0100"
    )


def test_an_intermediate_authority_binds_only_the_role_it_was_given(
    pki: DocumentPki, verify: Verify, reasons: Reasons
) -> None:
    made = deep(pki, [JUDGE])
    data = by(pki, pki.judge, made.chief)
    assert reasons(verify, data, trust=made.trust, crls=made.crls) == ["ROLE_MISSING"]


def test_an_intermediate_authority_needs_a_list_of_its_own(
    pki: DocumentPki, verify: Verify, reasons: Reasons
) -> None:
    made = deep(pki, [CHIEF])
    assert reasons(verify, by(pki, pki.judge, made.chief), trust=made.trust) == ["CRL_MISSING"]
    unlisted = deep(pki, [CHIEF], listed=False)
    data = by(pki, pki.judge, unlisted.chief)
    assert reasons(verify, data, trust=unlisted.trust, crls=unlisted.crls) == ["CRL_MISSING"]


def test_a_revoked_intermediate_authority_is_refused(
    pki: DocumentPki, verify: Verify, reasons: Reasons
) -> None:
    made = deep(pki, [CHIEF])
    crls = (pki.crls[0], pki.agency_ca.crl(pki.now, [made.chief.chain[1]]), made.crls[2])
    data = by(pki, pki.judge, made.chief)
    assert reasons(verify, data, trust=made.trust, crls=crls) == ["CERTIFICATE_REVOKED"]


def test_a_chain_holds_nothing_that_it_does_not_need(
    pki: DocumentPki, verify: Verify, reasons: Reasons
) -> None:
    spare = pki.agency_ca.subordinate(
        "TEST Spare CA", valid=(pki.now - YEAR, pki.now + YEAR), policies=[CHIEF]
    )
    padded = dataclasses.replace(pki.chief, chain=(*pki.chief.chain, spare.certificate))
    assert reasons(verify, by(pki, pki.judge, padded)) == ["CHAIN_UNTRUSTED"]


def test_an_end_entity_cannot_issue_another(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    key = pki.judge.key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    above = chief(pki, key=ec.generate_private_key(ec.SECP256R1()))
    assert isinstance(above.key, ec.EllipticCurvePrivateKey)
    issuer = dataclasses.replace(
        pki.agency_ca, key=above.key, certificate=above.certificate, above=above.chain
    )
    assert reasons(verify, by(pki, pki.judge, chief(pki, authority=issuer))) == ["CHAIN_UNTRUSTED"]
