"""What `cryptography` does not know of chains, and what binds a role; each check has its refusal."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from garim.documents.paths import verify_at_issue, verify_path
from garim.documents.x509 import ROLE_POLICIES, Path, Role, TrustPolicy
from garim.statements.governance import DocumentAnchor
from garim.statements.refusal import RefusedError, reasons_of
from garim.testing import documents
from garim.testing.pki import (
    AUTHORITY,
    COURT,
    MAX_CRL_AGE_MS,
    YEAR,
    Authority,
    DocumentPki,
    Identity,
    anchor_of,
    issue_person,
    make_authority,
)

CHIEF = ROLE_POLICIES[Role.CHIEF_INVESTIGATOR]
OWN_POLICY = x509.ObjectIdentifier("2.25.77.1")
EVERY = "x5c"


def trusting(*anchors: DocumentAnchor, development: bool = True) -> TrustPolicy:
    return TrustPolicy(anchors, MAX_CRL_AGE_MS, development=development)


def chief(authority: Authority, pki: DocumentPki, **changes: Any) -> Identity:
    arguments: dict[str, Any] = {
        "authority": authority,
        "name": "TEST 수사책임자",
        "person": "TEST-0100",
        "organisation": AUTHORITY,
        "now": pki.now,
        "policies": [CHIEF],
    }
    return issue_person(**(arguments | changes))


def judged(who: Identity, trust: TrustPolicy, pki: DocumentPki) -> Path | list[str]:
    """Return the path, or every reason against it."""
    try:
        return verify_path(who.chain, trust, documents.millis(pki), field=EVERY)
    except RefusedError as refusal:
        return [one.reason for one in reasons_of(refusal)]


def role_of(who: Identity, trust: TrustPolicy, pki: DocumentPki) -> str | list[str]:
    found = judged(who, trust, pki)
    return found.signer.role.value if isinstance(found, Path) else found


def agency(authority: Authority) -> DocumentAnchor:
    return anchor_of(authority, Role.CHIEF_INVESTIGATOR, AUTHORITY)


def bound(anchor: DocumentAnchor, policy: str | None, **subject: str) -> DocumentAnchor:
    named = [{"attribute": name, "value": value} for name, value in subject.items()]
    return DocumentAnchor.from_json({**anchor.to_json(), "policy": policy, "subject": named})


def test_a_role_may_be_bound_by_an_authoritys_own_policy(pki: DocumentPki) -> None:
    trust = trusting(pki.anchors[0], bound(agency(pki.agency_ca), OWN_POLICY.dotted_string))
    assert role_of(chief(pki.agency_ca, pki, policies=[OWN_POLICY]), trust, pki) == "chief-investigator"
    assert role_of(chief(pki.agency_ca, pki), trust, pki) == ["ROLE_MISSING"]


def test_a_role_may_be_bound_by_the_subject(pki: DocumentPki) -> None:
    trust = trusting(pki.anchors[0], bound(agency(pki.agency_ca), None, title="검사장"))
    named = chief(pki.agency_ca, pki, policies=[], title="검사장")
    assert role_of(named, trust, pki) == "chief-investigator"
    for title in ("", "검사", "검사장 ", "검사장 대리"):
        other = chief(pki.agency_ca, pki, policies=[CHIEF], title=title)
        assert role_of(other, trust, pki) == ["ROLE_MISSING"]


def test_a_subject_that_names_two_titles_has_none(pki: DocumentPki) -> None:
    trust = trusting(pki.anchors[0], bound(agency(pki.agency_ca), None, title="검사장"))
    right = chief(pki.agency_ca, pki, policies=[], title="검사장").certificate
    twice = x509.Name([*right.subject, x509.NameAttribute(NameOID.TITLE, "검사")])
    extensions = [
        (one.value, one.critical)
        for one in right.extensions
        if isinstance(one.value, x509.KeyUsage | x509.ExtendedKeyUsage)
    ]
    wrong = pki.agency_ca.issue(twice, extensions, valid=(pki.now - YEAR, pki.now + YEAR))
    assert role_of(wrong, trust, pki) == ["ROLE_MISSING"]


def test_policy_and_subject_together_are_both_demanded(pki: DocumentPki) -> None:
    both = bound(
        agency(pki.agency_ca), OWN_POLICY.dotted_string, organizationalUnitName="수사1부", title="부장"
    )
    trust = trusting(pki.anchors[0], both)
    assert role_of(chief(pki.agency_ca, pki, policies=[OWN_POLICY], title="부장"), trust, pki) == [
        "ROLE_MISSING"
    ]
    assert role_of(chief(pki.agency_ca, pki, policies=[], title="부장"), trust, pki) == ["ROLE_MISSING"]


def test_what_binds_both_roles_binds_none(pki: DocumentPki) -> None:
    court = bound(pki.anchors[0], OWN_POLICY.dotted_string)
    doubled = trusting(court, bound(agency(pki.agency_ca), OWN_POLICY.dotted_string))
    assert role_of(pki.chief, doubled, pki) == ["TRUST_AMBIGUOUS"]
    trust = trusting(court, bound(agency(pki.agency_ca), None, title="검사장"))
    both = chief(pki.agency_ca, pki, policies=[OWN_POLICY], title="검사장")
    assert role_of(both, trust, pki) == ["ROLE_AMBIGUOUS"]


def test_an_anchor_says_what_binds_its_role(pki: DocumentPki) -> None:
    with pytest.raises(RefusedError):
        bound(pki.anchors[0], None)
    for policy in ("2.25.x", "", "9.1", "2.25.01"):
        with pytest.raises(RefusedError):
            bound(pki.anchors[0], policy)


def test_several_agencies_stand_beside_each_other_each_for_its_own(pki: DocumentPki) -> None:
    police = make_authority("TEST Police CA", pki.now)
    trust = trusting(*pki.anchors, anchor_of(police, Role.CHIEF_INVESTIGATOR, "TEST 경찰청", "TEST 해경"))
    for organisation in ("TEST 경찰청", "TEST 해경"):
        assert role_of(chief(police, pki, organisation=organisation), trust, pki) == "chief-investigator"
    assert role_of(chief(police, pki), trust, pki) == ["ORGANISATION_NOT_ALLOWED"]
    other = chief(pki.agency_ca, pki, organisation="TEST 경찰청")
    assert role_of(other, trust, pki) == ["ORGANISATION_NOT_ALLOWED"]


def test_a_production_mesh_refuses_a_chain_marked_for_development(pki: DocumentPki) -> None:
    assert role_of(pki.chief, trusting(*pki.anchors), pki) == "chief-investigator"
    assert role_of(pki.chief, trusting(*pki.anchors, development=False), pki) == ["TRUST_DEVELOPMENT"]


@pytest.mark.parametrize("marked", ["anchor", "middle", "leaf", "none"])
def test_one_marked_certificate_is_enough(pki: DocumentPki, marked: str) -> None:
    root = make_authority("TEST plain CA", pki.now, marked=marked == "anchor")
    valid = (pki.now - YEAR, pki.now + YEAR)
    middle = dataclasses.replace(root, marked=marked == "middle").subordinate(
        "TEST plain middle", valid=valid, policies=[CHIEF]
    )
    who = chief(dataclasses.replace(middle, marked=marked == "leaf"), pki)
    found = role_of(who, trusting(agency(root), development=False), pki)
    assert found == ("chief-investigator" if marked == "none" else ["TRUST_DEVELOPMENT"])


@pytest.mark.parametrize("bits", [1024, 2048])
def test_a_weak_rsa_key_is_refused_wherever_it_stands(pki: DocumentPki, bits: int) -> None:
    key = rsa.generate_private_key(65537, bits)
    weak_leaf = chief(pki.agency_ca, pki, key=key)
    assert role_of(weak_leaf, pki.trust, pki) == ["KEY_WEAK"]
    root = make_authority("TEST weak CA", pki.now, key=key)
    found = role_of(chief(root, pki), trusting(agency(root)), pki)
    assert isinstance(found, list)
    assert found[0] == "KEY_WEAK"


def test_an_rsa_authority_of_enough_bits_is_followed(pki: DocumentPki) -> None:
    root = make_authority("TEST RSA CA", pki.now, key=rsa.generate_private_key(65537, 3072))
    assert role_of(chief(root, pki), trusting(agency(root)), pki) == "chief-investigator"


def test_an_rsa_key_with_a_small_exponent_is_refused(pki: DocumentPki) -> None:
    who = chief(pki.agency_ca, pki, key=rsa.generate_private_key(3, 3072))
    assert role_of(who, pki.trust, pki) == ["KEY_WEAK"]


def test_a_curve_that_is_not_named_is_refused(pki: DocumentPki) -> None:
    who = chief(pki.agency_ca, pki, key=ec.generate_private_key(ec.SECP256K1()))
    assert role_of(who, pki.trust, pki) == ["KEY_WEAK"]


def test_a_certificate_over_another_hash_than_sha_2_is_refused(pki: DocumentPki) -> None:
    right = pki.judge.certificate
    builder = x509.CertificateBuilder(
        issuer_name=right.issuer,
        subject_name=right.subject,
        public_key=right.public_key(),
        serial_number=right.serial_number,
        not_valid_before=right.not_valid_before_utc,
        not_valid_after=right.not_valid_after_utc,
        extensions=list(right.extensions),
    )
    wrong = Identity(pki.judge.key, (builder.sign(pki.court_ca.key, hashes.SHA3_256()),))
    found = role_of(wrong, pki.trust, pki)
    assert isinstance(found, list)
    assert found[0] == "HASH_WEAK"


def names(*constraints: x509.GeneralName, permitted: bool) -> x509.NameConstraints:
    given = list(constraints)
    return x509.NameConstraints(given if permitted else None, None if permitted else given)


def directory(organisation: str) -> x509.DirectoryName:
    return x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)]))


@pytest.mark.parametrize("critical", [True, False])
@pytest.mark.parametrize("where", ["anchor", "middle"])
@pytest.mark.parametrize(
    "constraints",
    [
        names(directory("TEST 다른기관"), permitted=True),
        names(directory(AUTHORITY), permitted=False),
        names(x509.RFC822Name("example.org"), permitted=True),
        names(x509.UniformResourceIdentifier("example.org"), permitted=False),
    ],
)
def test_name_constraints_that_cannot_be_checked_are_refused(
    pki: DocumentPki, constraints: x509.NameConstraints, where: str, critical: bool
) -> None:
    extra = [(constraints, critical)]
    root = make_authority("TEST bound CA", pki.now, extra=extra if where == "anchor" else ())
    valid = (pki.now - YEAR, pki.now + YEAR)
    middle = root.subordinate(
        "TEST bound middle", valid=valid, policies=[CHIEF], extra=extra if where == "middle" else ()
    )
    found = role_of(chief(middle, pki), trusting(agency(root)), pki)
    assert found == ["NAME_CONSTRAINTS_UNCHECKED"]


def test_constraints_on_hosts_are_checked_against_alternative_names(pki: DocumentPki) -> None:
    extra = [(names(x509.DNSName("agency.example"), permitted=True), True)]
    root = make_authority("TEST bound CA", pki.now, extra=extra)
    trust = trusting(agency(root))
    assert role_of(chief(root, pki), trust, pki) == "chief-investigator"
    for host, expected in (("a.agency.example", "chief-investigator"), ("b.example", ["CHAIN_UNTRUSTED"])):
        named = x509.SubjectAlternativeName([x509.DNSName(host)])
        assert role_of(chief(root, pki, extra=[(named, False)]), trust, pki) == expected


@pytest.mark.parametrize("where", ["anchor", "middle"])
def test_a_path_longer_than_an_authority_allows_is_refused(pki: DocumentPki, where: str) -> None:
    valid = (pki.now - YEAR, pki.now + YEAR)
    root = make_authority("TEST short CA", pki.now, path_length=0 if where == "anchor" else None)
    middle = root.subordinate("TEST upper", valid=valid, policies=[CHIEF], path_length=0)
    lower = middle.subordinate("TEST lower", valid=valid, policies=[CHIEF])
    trust = trusting(agency(root))
    assert role_of(chief(lower, pki), trust, pki) == ["CHAIN_UNTRUSTED"]
    if where == "middle":
        assert role_of(chief(middle, pki), trust, pki) == "chief-investigator"


def test_everything_wrong_with_a_chain_is_said_at_once(pki: DocumentPki) -> None:
    wrong = issue_person(
        pki.court_ca,
        "TEST",
        " ",
        "TEST 다른법원",
        pki.now,
        policies=[],
        key=rsa.generate_private_key(65537, 2048),
        valid=(pki.now - YEAR, pki.now - dt.timedelta(days=1)),
        usages=[x509.ObjectIdentifier("2.25.1")],
    )
    assert role_of(wrong, trusting(*pki.anchors, development=False), pki) == [
        "CERTIFICATE_NOT_VALID_NOW",
        "PURPOSE_REFUSED",
        "PERSON_MISSING",
        "KEY_WEAK",
        "TRUST_DEVELOPMENT",
        "ROLE_MISSING",
        "ORGANISATION_NOT_ALLOWED",
    ]


def test_validity_at_issue_is_judged_for_every_certificate(pki: DocumentPki) -> None:
    young = (pki.now - dt.timedelta(hours=1), pki.now + YEAR)
    middle = pki.agency_ca.subordinate("TEST young", valid=young, policies=[CHIEF])
    found = judged(chief(middle, pki), pki.trust, pki)
    assert isinstance(found, Path)
    assert found.signer.organisation == AUTHORITY != COURT
    verify_at_issue(found, documents.millis(pki), field=EVERY)
    with pytest.raises(RefusedError) as refused:
        verify_at_issue(found, documents.millis(pki) - 2 * 3_600_000, field=EVERY)
    assert (refused.value.reason, refused.value.field) == ("CERTIFICATE_NOT_VALID_AT_ISSUE", "x5c[1]")
