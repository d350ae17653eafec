"""What is known of certificates: roles, trust, signers, and how certificates are read (RFC 5280).

`paths` judges chains by it, `crls` revocation lists.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from garim.documents.envelope import MAX_CHAIN
from garim.statements.refusal import RefusedError

if TYPE_CHECKING:
    from garim.statements.governance import DocumentAnchor, Governance

_ARC = "2.25.142421051654337482931987961442746594682"
DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")
"""id-kp-documentSigning (RFC 9336)."""


class Role(enum.StrEnum):
    """In which of the two roles a document is signed."""

    COURT = "court"
    CHIEF_INVESTIGATOR = "chief-investigator"


ROLE_POLICIES = {
    Role.COURT: x509.ObjectIdentifier(f"{_ARC}.1"),
    Role.CHIEF_INVESTIGATOR: x509.ObjectIdentifier(f"{_ARC}.2"),
}
"""Garim's own certificate policies that bind a role, where an authority has none; governance may name others.

The arc is a UUID's (ITU-T X.667), which needs no registration."""
DEVELOPMENT = x509.ObjectIdentifier(f"{_ARC}.3")
"""Extension that marks a certificate for development; whatever it holds, no mesh in production trusts it."""
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises where a certificate or list parses as a whole but not in a part of it."""


@dataclasses.dataclass(frozen=True)
class TrustPolicy:
    """What governance trusts for documents.

    Attributes:
        anchors: Certification authorities, each for one role.
        max_crl_age_ms: Revocation lists issued longer ago are refused.
        development: Whether certificates that are marked for development count.
    """

    anchors: tuple[DocumentAnchor, ...]
    max_crl_age_ms: int
    development: bool = False

    @classmethod
    def of(cls, governance: Governance) -> TrustPolicy:
        """Return what a governance version trusts."""
        development = governance.environment == "development"
        return cls(governance.anchors, governance.terms.max_crl_age, development)


@dataclasses.dataclass(frozen=True)
class Signer:
    """The verified holder of one signature's certificate.

    Attributes:
        role: Bound by the certificate, as its anchor says.
        person: Identifier of the person: the subject's serialNumber (ETSI EN 319 412-2 clause 4.2.4).
        name: The subject's commonName.
        organisation: The subject's organizationName: court or agency.
        certificate_sha256: Fingerprint of the certificate, in hexadecimal.
        key_sha256: Fingerprint of its SubjectPublicKeyInfo, in hexadecimal.
    """

    role: Role
    person: str
    name: str
    organisation: str
    certificate_sha256: str
    key_sha256: str


@dataclasses.dataclass(frozen=True)
class Path:
    """A chain that leads to an anchor.

    Attributes:
        signer: Who holds the leaf.
        links: Each certificate below the anchor, leaf first; all of them need a revocation list.
        anchor: Where it ends.
    """

    signer: Signer
    links: tuple[x509.Certificate, ...]
    anchor: DocumentAnchor


@dataclasses.dataclass(frozen=True)
class Anchor:
    """A trusted certification authority.

    Attributes:
        certificate: Its certificate.
        terms: What governance trusts it for.
    """

    certificate: x509.Certificate
    terms: DocumentAnchor


def load_anchors(trust: TrustPolicy) -> list[Anchor]:
    """Read the anchors' certificates.

    Raises:
        RefusedError: `TRUST_EMPTY`, `TRUST_UNREADABLE`, `TRUST_AMBIGUOUS` (one name or key twice, or one
            policy and subject for both roles, so that one certificate could stand for both).
    """
    loaded = [Anchor(load_pem(one.certificate), one) for one in trust.anchors]
    if not loaded:
        raise RefusedError("TRUST_EMPTY", "governance names no trust anchor; add one for each role")
    names = {one.certificate.subject.public_bytes() for one in loaded}
    keys = {key_sha256(one.certificate) for one in loaded}
    if len(names) != len(loaded) or len(keys) != len(loaded):
        raise RefusedError("TRUST_AMBIGUOUS", "two trust anchors share a name or a key; keep one of them")
    bindings = {(one.terms.policy, one.terms.subject): one.terms.role for one in loaded}
    if any(bindings[one.terms.policy, one.terms.subject] != one.terms.role for one in loaded):
        raise RefusedError("TRUST_AMBIGUOUS", "one policy and subject bind both roles; tell them apart")
    return loaded


def load_pem(text: str) -> x509.Certificate:
    """Read one PEM certificate of the governance document.

    Raises:
        RefusedError: `TRUST_UNREADABLE`.
    """
    try:
        (certificate,) = x509.load_pem_x509_certificates(text.encode())
        certificate.public_key()
    except UNREADABLE:
        raise RefusedError(
            "TRUST_UNREADABLE", "a trusted certificate must be exactly one PEM certificate"
        ) from None
    return certificate


def read_certificate(der: bytes, *, field: str) -> x509.Certificate:
    """Read one DER certificate of a document.

    Args:
        der: The certificate and nothing after it.
        field: Where it stands, for refusals.

    Raises:
        RefusedError: `CERTIFICATE_UNREADABLE`.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        readable = whole_signature(der, certificate.signature)
    except UNREADABLE:
        readable = False
    if not readable:
        raise RefusedError("CERTIFICATE_UNREADABLE", "not a DER certificate", field=field)
    return certificate


def read_chain(chain: Sequence[bytes], *, field: str) -> tuple[x509.Certificate, ...]:
    """Read a chain of DER certificates; see `read_certificate`.

    Raises:
        RefusedError: `CERTIFICATE_UNREADABLE`, `CHAIN_LENGTH`.
    """
    if not 1 <= len(chain) <= MAX_CHAIN:
        raise RefusedError(
            "CHAIN_LENGTH",
            f"a signer sends the leaf and its intermediates, 1 to {MAX_CHAIN} in all",
            field=field,
        )
    return tuple(read_certificate(der, field=f"{field}[{index}]") for index, der in enumerate(chain))


def policies_of(certificate: x509.Certificate) -> frozenset[str]:
    """Return the certificate policies that a certificate states, in dotted form."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.CertificatePolicies)
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(policy.policy_identifier.dotted_string for policy in extension.value)


def is_development(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate is marked for development."""
    return any(extension.oid == DEVELOPMENT for extension in certificate.extensions)


def whole_signature(der: bytes, signature: bytes) -> bool:
    """Return whether a certificate or list ends in its signature, in whole bytes.

    A BIT STRING may declare trailing zero bits unused; that would give one signature several spellings and
    one certificate several fingerprints.
    """
    return der.endswith(b"\x00" + signature)


def key_sha256(certificate: x509.Certificate) -> str:
    """Return SHA-256 over a certificate's SubjectPublicKeyInfo, in hexadecimal."""
    info = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(info).hexdigest()


def certificate_sha256(certificate: x509.Certificate) -> str:
    """Return SHA-256 over a certificate's DER, in hexadecimal."""
    return hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()
