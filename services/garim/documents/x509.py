"""Whose certificate signed: chains, validity, roles, people (RFC 5280).

Path validation is `cryptography`'s; what it does not know is checked here: the role bound by certificate
policy, for every certificate below the anchor, and the person and organisation in the leaf.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

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
"""Certificate policies that bind a role; the arc is a UUID's (ITU-T X.667), which needs no registration."""
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
    """

    anchors: tuple[DocumentAnchor, ...]
    max_crl_age_ms: int

    @classmethod
    def of(cls, governance: Governance) -> TrustPolicy:
        """Return what a governance version trusts."""
        return cls(governance.anchors, governance.terms.max_crl_age)


@dataclasses.dataclass(frozen=True)
class Signer:
    """The verified holder of one signature's certificate.

    Attributes:
        role: Bound by the certificate.
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


def load_anchors(trust: TrustPolicy) -> list[tuple[x509.Certificate, DocumentAnchor]]:
    """Read the anchors' certificates.

    Raises:
        RefusedError: `TRUST_EMPTY`, `TRUST_UNREADABLE`, `TRUST_AMBIGUOUS` (one name or key twice, so that it
            could vouch for both roles).
    """
    loaded = [(load_pem(anchor.certificate), anchor) for anchor in trust.anchors]
    if not loaded:
        raise RefusedError("TRUST_EMPTY", "governance names no trust anchor; add one for each role")
    names = {certificate.subject.public_bytes() for certificate, _ in loaded}
    keys = {key_sha256(certificate) for certificate, _ in loaded}
    if len(names) != len(loaded) or len(keys) != len(loaded):
        raise RefusedError("TRUST_AMBIGUOUS", "two trust anchors share a name or a key; keep one of them")
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


def verify_path(chain: tuple[x509.Certificate, ...], trust: TrustPolicy, now_ms: int, *, field: str) -> Path:
    """Verify a chain as of now.

    Args:
        chain: Leaf, then its intermediates in order, without the anchor.
        trust: What governance trusts.
        now_ms: Time of the check, milliseconds since 1970.
        field: Path of the chain, for refusals.

    Raises:
        RefusedError: `TRUST_*`, `ROLE_MISSING`, `ROLE_AMBIGUOUS`, `PURPOSE_REFUSED`, `PERSON_MISSING`,
            `CERTIFICATE_UNREADABLE`, `CERTIFICATE_NOT_VALID_NOW`, `CHAIN_UNTRUSTED`,
            `ORGANISATION_NOT_ALLOWED`.
    """
    try:
        return _verify_path(chain, trust, now_ms, field)
    except UNREADABLE:
        raise RefusedError(
            "CERTIFICATE_UNREADABLE", "a certificate holds parts that cannot be read", field=field
        ) from None


def _verify_path(chain: tuple[x509.Certificate, ...], trust: TrustPolicy, now_ms: int, field: str) -> Path:
    signer = stated_signer(chain, field=field)
    role = signer.role
    demand_valid_now(chain, now_ms, field=field)
    anchors = [(cert, anchor) for cert, anchor in load_anchors(trust) if anchor.role == role]
    anchor = _build(chain, anchors, now_ms, field)
    if signer.organisation not in anchor.authorities and (role is not Role.COURT or anchor.authorities):
        raise RefusedError(
            "ORGANISATION_NOT_ALLOWED", "its issuer may not vouch for the organisation it names", field=field
        )
    return Path(signer, chain, anchor)


def verify_at_issue(path: Path, issued_ms: int, *, field: str) -> None:
    """Verify that a path was valid when the document was issued, too.

    Args:
        path: As `verify_path` found it.
        issued_ms: The document's issue, milliseconds since 1970.
        field: Path of the chain, for refusals.

    Raises:
        RefusedError: `CERTIFICATE_NOT_VALID_AT_ISSUE` or `CHAIN_UNTRUSTED`.
    """
    demand_valid_at_issue(path.links, issued_ms, field=field)
    _build(path.links, [(load_pem(path.anchor.certificate), path.anchor)], issued_ms, field)


def stated_signer(chain: tuple[x509.Certificate, ...], *, field: str) -> Signer:
    """Return whom a chain states to sign, and in which role; whether anybody may believe it is not judged.

    Args:
        chain: Leaf, then its intermediates in order, without the anchor.
        field: Path of the chain, for refusals.

    Raises:
        RefusedError: `ROLE_MISSING`, `ROLE_AMBIGUOUS`, `PURPOSE_REFUSED`, `PERSON_MISSING`.
    """
    role = _role(chain, field)
    _check_purpose(chain[0], field)
    return _signer(chain[0], role, field)


def demand_valid_now(chain: tuple[x509.Certificate, ...], now_ms: int, *, field: str) -> None:
    """Refuse (`CERTIFICATE_NOT_VALID_NOW`) certificates that are not valid now, milliseconds since 1970."""
    _check_window(chain, now_ms, "CERTIFICATE_NOT_VALID_NOW", "is not valid now", field)


def demand_valid_at_issue(chain: tuple[x509.Certificate, ...], issued_ms: int, *, field: str) -> None:
    """Refuse (`CERTIFICATE_NOT_VALID_AT_ISSUE`) certificates that were not valid then, as above."""
    what = "was not valid at the document's issue"
    _check_window(chain, issued_ms, "CERTIFICATE_NOT_VALID_AT_ISSUE", what, field)


def _moment(instant_ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(instant_ms / 1000, tz=dt.UTC)


def _check_window(
    chain: tuple[x509.Certificate, ...], instant_ms: int, reason: str, what: str, field: str
) -> None:
    moment = _moment(instant_ms)
    for index, certificate in enumerate(chain):
        if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
            raise RefusedError(reason, f"the certificate {what}", field=f"{field}[{index}]")


def _policies(certificate: x509.Certificate) -> set[x509.ObjectIdentifier]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.CertificatePolicies)
    except x509.ExtensionNotFound:
        return set()
    return {policy.policy_identifier for policy in extension.value}


def _role(chain: tuple[x509.Certificate, ...], field: str) -> Role:
    stated = _policies(chain[0])
    roles = [role for role, policy in ROLE_POLICIES.items() if policy in stated]
    if not roles:
        raise RefusedError("ROLE_MISSING", "the certificate binds no role that signs documents", field=field)
    if len(roles) != 1:
        raise RefusedError("ROLE_AMBIGUOUS", "the certificate binds both roles", field=field)
    for index, certificate in enumerate(chain[1:], start=1):
        if ROLE_POLICIES[roles[0]] not in _policies(certificate):
            raise RefusedError(
                "ROLE_MISSING", "the issuing certificate may not bind this role", field=f"{field}[{index}]"
            )
    return roles[0]


def _check_purpose(leaf: x509.Certificate, field: str) -> None:
    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
        signs = (usage.digital_signature or usage.content_commitment) and not usage.key_cert_sign
        purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        fits = DOCUMENT_SIGNING in purposes and ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE not in purposes
    except x509.ExtensionNotFound:
        signs = fits = False
    if not (signs and fits):
        raise RefusedError(
            "PURPOSE_REFUSED",
            "the leaf must be for digital signatures and documentSigning",
            field=f"{field}[0]",
        )


def _only(name: x509.Name, oid: x509.ObjectIdentifier, field: str) -> str:
    values = [attribute.value for attribute in name.get_attributes_for_oid(oid)]
    if len(values) != 1 or not isinstance(values[0], str) or not values[0].strip():
        raise RefusedError(
            "PERSON_MISSING",
            "the subject must name one commonName, serialNumber and organizationName each",
            field=f"{field}[0]",
        )
    return values[0]


def _signer(leaf: x509.Certificate, role: Role, field: str) -> Signer:
    return Signer(
        role=role,
        person=_only(leaf.subject, NameOID.SERIAL_NUMBER, field),
        name=_only(leaf.subject, NameOID.COMMON_NAME, field),
        organisation=_only(leaf.subject, NameOID.ORGANIZATION_NAME, field),
        certificate_sha256=certificate_sha256(leaf),
        key_sha256=key_sha256(leaf),
    )


def _demand_cert_sign(
    _policy: verification.Policy, _certificate: x509.Certificate, usage: x509.KeyUsage
) -> None:
    if not usage.key_cert_sign:
        raise ValueError("keyUsage lacks keyCertSign")


def _demand_no_ca(
    _policy: verification.Policy, _certificate: x509.Certificate, constraints: x509.BasicConstraints | None
) -> None:
    if constraints is not None and constraints.ca:
        raise ValueError("a certification authority signs no documents")


def _build(
    chain: tuple[x509.Certificate, ...],
    anchors: list[tuple[x509.Certificate, DocumentAnchor]],
    instant_ms: int,
    field: str,
) -> DocumentAnchor:
    refusal = RefusedError(
        "CHAIN_UNTRUSTED", "the chain leads to no anchor trusted for its role", field=field
    )
    if not anchors:
        raise refusal
    either = verification.Criticality.AGNOSTIC
    everything = verification.ExtensionPolicy.permit_all()
    for_ca = everything.require_present(
        x509.BasicConstraints, verification.Criticality.CRITICAL, None
    ).require_present(x509.KeyUsage, verification.Criticality.CRITICAL, _demand_cert_sign)
    for_leaf = everything.may_be_present(x509.BasicConstraints, either, _demand_no_ca)
    verifier = (
        verification.PolicyBuilder()
        .time(_moment(instant_ms))
        .store(verification.Store([certificate for certificate, _ in anchors]))
        .max_chain_depth(len(chain) - 1)
        .extension_policies(ca_policy=for_ca, ee_policy=for_leaf)
        .build_client_verifier()
    )
    try:
        path = verifier.verify(chain[0], list(chain[1:])).chain
    except verification.VerificationError:
        raise refusal from None
    if tuple(path[:-1]) != chain:
        raise refusal
    return next(anchor for certificate, anchor in anchors if certificate == path[-1])
