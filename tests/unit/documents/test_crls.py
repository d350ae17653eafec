"""Revocation lists: believed only when fresh, complete and signed by a configured issuer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from garim.documents.crls import MAX_CRL_BYTES, read_crl
from garim.documents.verify import VerifiedDocument
from garim.documents.x509 import TrustPolicy
from garim.testing import documents
from garim.testing.pki import MAX_CRL_AGE_MS, Authority, DocumentPki, make_authority

Reasons = Callable[..., list[str]]
Verify = Callable[..., VerifiedDocument]
DAY = dt.timedelta(days=1)


def document(pki: DocumentPki) -> bytes:
    return documents.signed(pki, documents.disclosure(pki))


def test_without_a_list_nothing_is_believed(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    assert reasons(verify, document(pki), crls=()) == ["CRL_MISSING"] * 2
    assert reasons(verify, document(pki), crls=pki.crls[:1]) == ["CRL_MISSING"]


def test_a_revoked_certificate_is_refused(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    crls = (pki.crls[0], pki.agency_ca.crl(pki.now, [pki.chief.certificate]))
    assert reasons(verify, document(pki), crls=crls) == ["CERTIFICATE_REVOKED"]


@pytest.mark.parametrize("first", [0, 1])
def test_the_newest_list_counts_in_whatever_order_they_lie(
    pki: DocumentPki, verify: Verify, reasons: Reasons, first: int
) -> None:
    clean = pki.agency_ca.crl(pki.now - DAY, number=1)
    revoking = pki.agency_ca.crl(pki.now, [pki.chief.certificate], number=2)
    lists = [clean, revoking]
    crls = (pki.crls[0], lists[first], lists[1 - first])
    assert reasons(verify, document(pki), crls=crls) == ["CERTIFICATE_REVOKED"]


def test_a_stale_list_counts_as_none(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    stale = pki.agency_ca.crl(pki.now - DAY, lasts=DAY)
    assert reasons(verify, document(pki), crls=(pki.crls[0], stale)) == ["CRL_MISSING"]
    assert reasons(read_crl, stale, pki.trust, documents.millis(pki)) == ["CRL_STALE"]


def test_a_list_older_than_governance_allows_is_refused(pki: DocumentPki, reasons: Reasons) -> None:
    old = pki.agency_ca.crl(pki.now - 31 * DAY, lasts=365 * DAY)
    assert reasons(read_crl, old, pki.trust, documents.millis(pki)) == ["CRL_STALE"]
    patient = TrustPolicy(pki.anchors, 2 * MAX_CRL_AGE_MS, development=True)
    assert read_crl(old, patient, documents.millis(pki)).number == 1


def test_a_list_from_the_future_is_refused(pki: DocumentPki, reasons: Reasons) -> None:
    early = pki.agency_ca.crl(pki.now + DAY)
    assert reasons(read_crl, early, pki.trust, documents.millis(pki)) == ["CRL_NOT_YET_ISSUED"]


def test_a_list_of_a_stranger_with_the_issuers_name_is_refused(
    pki: DocumentPki, verify: Verify, reasons: Reasons
) -> None:
    forged = make_authority("TEST Agency CA", pki.now).crl(pki.now)
    assert reasons(read_crl, forged, pki.trust, documents.millis(pki)) == ["CRL_ISSUER_UNKNOWN"]
    assert reasons(verify, document(pki), crls=(pki.crls[0], forged)) == ["CRL_MISSING"]


def test_one_authority_cannot_speak_for_another(pki: DocumentPki, verify: Verify, reasons: Reasons) -> None:
    impostor = Authority(pki.court_ca.key, pki.agency_ca.certificate).crl(pki.now)
    assert reasons(read_crl, impostor, pki.trust, documents.millis(pki)) == ["CRL_ISSUER_UNKNOWN"]
    assert reasons(verify, document(pki), crls=(pki.crls[0], impostor)) == ["CRL_MISSING"]


def test_a_list_signer_of_one_anchor_does_not_serve_another(
    pki: DocumentPki, verify: Verify, reasons: Reasons
) -> None:
    namesake = make_authority("TEST Agency CA", pki.now)
    court = pki.anchors[0].model_copy(update={"crl_issuers": (namesake.pem,)})
    trust = TrustPolicy((court, pki.anchors[1]), MAX_CRL_AGE_MS, development=True)
    crls = (pki.crls[0], namesake.crl(pki.now))
    assert reasons(verify, document(pki), trust=trust, crls=crls) == ["CRL_MISSING"]


def test_a_configured_list_signer_with_the_issuers_name_counts(pki: DocumentPki, verify: Verify) -> None:
    signer = make_authority("TEST Agency CA", pki.now)
    agency = pki.anchors[1].model_copy(update={"crl_issuers": (signer.pem,)})
    trust = TrustPolicy((pki.anchors[0], agency), MAX_CRL_AGE_MS, development=True)
    assert verify(document(pki), trust=trust, crls=(pki.crls[0], signer.crl(pki.now)))


def test_partial_and_delta_lists_are_refused(pki: DocumentPki, reasons: Reasons) -> None:
    partial = x509.IssuingDistributionPoint(
        full_name=None,
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=True,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )
    for extension in (partial, x509.DeltaCRLIndicator(1)):
        for critical in (True, False):
            data = pki.agency_ca.crl(pki.now, extra=(extension, critical))
            assert reasons(read_crl, data, pki.trust, documents.millis(pki)) == ["CRL_UNREADABLE"]


def test_a_signer_of_lists_must_be_one(pki: DocumentPki, reasons: Reasons) -> None:
    key = pki.agency_ca.key
    subject = pki.agency_ca.certificate.subject
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    for extensions in ([(usage, True)], []):
        made = pki.agency_ca.issue(subject, extensions, valid=(pki.now - DAY, pki.now + DAY), key=key)
        signer = Authority(key, made.certificate)
        agency = pki.anchors[1].model_copy(update={"certificate": signer.pem})
        trust = TrustPolicy((pki.anchors[0], agency), MAX_CRL_AGE_MS, development=True)
        data = signer.crl(pki.now)
        assert reasons(read_crl, data, trust, documents.millis(pki)) == ["CRL_ISSUER_UNKNOWN"]


def test_a_list_without_a_number_is_refused(pki: DocumentPki, reasons: Reasons) -> None:
    builder = x509.CertificateRevocationListBuilder().issuer_name(pki.agency_ca.certificate.subject)
    crl = builder.last_update(pki.now).next_update(pki.now + DAY).sign(pki.agency_ca.key, hashes.SHA256())
    data = crl.public_bytes(serialization.Encoding.DER)
    assert reasons(read_crl, data, pki.trust, documents.millis(pki)) == ["CRL_UNREADABLE"]


@pytest.mark.parametrize("data", [b"", b"-----BEGIN X509 CRL-----\n", b"0\x82", b"0" * 100])
def test_what_is_no_list_is_refused(pki: DocumentPki, reasons: Reasons, data: bytes) -> None:
    assert reasons(read_crl, data, pki.trust, documents.millis(pki)) == ["CRL_UNREADABLE"]


def test_a_huge_list_is_refused_unread(pki: DocumentPki, reasons: Reasons) -> None:
    assert reasons(read_crl, bytes(MAX_CRL_BYTES + 1), pki.trust, documents.millis(pki)) == ["CRL_SIZE"]


def test_a_list_is_taken_as_pem_and_kept_as_der(pki: DocumentPki) -> None:
    der = pki.crls[1]
    crl = x509.load_der_x509_crl(der)
    read = read_crl(crl.public_bytes(serialization.Encoding.PEM), pki.trust, documents.millis(pki))
    assert read.der == der
    assert read.revokes(pki.revoked.certificate.serial_number)
    assert not read.revokes(pki.chief.certificate.serial_number)
