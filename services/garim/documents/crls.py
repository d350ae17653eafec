"""Revocation lists: delivered by anyone, believed only when fresh and signed by a configured issuer.

RFC 5280 section 5, complete lists only.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from garim.documents.keys import strong_hash, strong_key
from garim.documents.x509 import UNREADABLE, Path, TrustPolicy, certificate_sha256, load_pem, whole_signature
from garim.statements.refusal import Kind, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garim.statements.governance import DocumentAnchor

MAX_CRL_BYTES = 32 * 1024 * 1024
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_PARTIAL = (x509.DeltaCRLIndicator, x509.IssuingDistributionPoint)


@dataclasses.dataclass(frozen=True)
class Crl:
    """A revocation list that counts now.

    Attributes:
        issuer: DER of its issuer's name.
        signer_sha256: Fingerprint of the configured certificate whose key signed it.
        number: Its CRL number; a later list has a higher one.
        der: The list as it was signed; keep this and hand it to every later check.
        counts_until_ms: From when on it is stale, milliseconds since 1970.
    """

    issuer: bytes
    signer_sha256: str
    number: int
    der: bytes
    counts_until_ms: int

    def revokes(self, serial: int) -> bool:
        """Return whether the list names this serial number, for whatever reason and since whenever."""
        crl = x509.load_der_x509_crl(self.der)
        return crl.get_revoked_certificate_by_serial_number(serial) is not None


def read_crl(data: bytes, trust: TrustPolicy, now_ms: int) -> Crl:
    """Check a revocation list that somebody delivered.

    Args:
        data: DER or PEM.
        trust: What governance trusts; a list is signed by an anchor's key or by one of its `crl_issuers`.
        now_ms: Time of the check, milliseconds since 1970.

    Raises:
        RefusedError: `CRL_SIZE`, `CRL_UNREADABLE`, `CRL_ISSUER_UNKNOWN`, `CRL_NOT_YET_ISSUED`, `CRL_STALE`.
    """
    try:
        return _read_crl(data, trust, now_ms)
    except UNREADABLE:
        raise RefusedError("CRL_UNREADABLE", "not a revocation list in DER or PEM", field="crl") from None


def _read_crl(data: bytes, trust: TrustPolicy, now_ms: int) -> Crl:
    crl = _load(data)
    number = _number(crl)
    signer = _signer(crl, trust)
    if crl.next_update_utc is None:
        raise RefusedError(
            "CRL_UNREADABLE", "a revocation list must say when the next one comes", field="crl"
        )
    issued, expires = _millis(crl.last_update_utc), _millis(crl.next_update_utc)
    if issued > now_ms:
        raise RefusedError("CRL_NOT_YET_ISSUED", "the revocation list is dated in the future", field="crl")
    if now_ms >= expires or now_ms - issued > trust.max_crl_age_ms:
        raise RefusedError("CRL_STALE", "the revocation list is too old; deliver a fresh one", field="crl")
    der = crl.public_bytes(serialization.Encoding.DER)
    if not whole_signature(der, crl.signature):
        raise RefusedError("CRL_UNREADABLE", "the signature must be whole bytes", field="crl")
    return Crl(
        issuer=crl.issuer.public_bytes(),
        signer_sha256=signer,
        number=number,
        der=der,
        counts_until_ms=min(expires, issued + trust.max_crl_age_ms + 1),
    )


def ends_ms(der: bytes, max_age_ms: int) -> int:
    """Return when a list that was checked before ends to count, in milliseconds since 1970.

    Args:
        der: The list.
        max_age_ms: How old a list may become, in milliseconds.
    """
    crl = x509.load_der_x509_crl(der)
    by_age = _millis(crl.last_update_utc) + max_age_ms + 1
    return by_age if crl.next_update_utc is None else min(_millis(crl.next_update_utc), by_age)


def check_revocation(
    path: Path, crls: Iterable[bytes], trust: TrustPolicy, now_ms: int, *, field: str
) -> None:
    """Demand that a fresh list covers each certificate of a path, and that none is revoked.

    Args:
        path: A verified path.
        crls: Lists at hand, DER or PEM; those that do not count are passed over.
        trust: What governance trusts.
        now_ms: Time of the check, milliseconds since 1970.
        field: Path of the chain, for refusals.

    Raises:
        RefusedError: `CRL_MISSING` or `CERTIFICATE_REVOKED`.
    """
    allowed = _signers_of(path.anchor)
    newest: dict[bytes, Crl] = {}
    for data in crls:
        try:
            crl = read_crl(data, trust, now_ms)
        except RefusedError:
            continue
        known = newest.get(crl.issuer)
        if crl.signer_sha256 in allowed and (known is None or crl.number > known.number):
            newest[crl.issuer] = crl
    for index, certificate in enumerate(path.links):
        where = f"{field}[{index}]"
        covering = newest.get(certificate.issuer.public_bytes())
        if covering is None:
            raise RefusedError(
                "CRL_MISSING",
                "no fresh revocation list of its issuer is at hand; deliver one and submit again",
                kind=Kind.PRECONDITION,
                field=where,
            )
        if covering.revokes(certificate.serial_number):
            raise RefusedError("CERTIFICATE_REVOKED", "the certificate has been revoked", field=where)


def counts_until(
    anchor: DocumentAnchor, crls: Iterable[bytes], trust: TrustPolicy, now_ms: int
) -> int | None:
    """Return when the newest list of an anchor goes stale, milliseconds since 1970; None where none counts.

    Args:
        anchor: Whose own certificates the list is about.
        crls: Lists at hand, DER or PEM.
        trust: What governance trusts.
        now_ms: Time of the look, milliseconds since 1970.
    """
    issuer = load_pem(anchor.certificate).subject.public_bytes()
    found: Crl | None = None
    for data in crls:
        try:
            crl = read_crl(data, trust, now_ms)
        except RefusedError:
            continue
        ours = crl.issuer == issuer and crl.signer_sha256 in _signers_of(anchor)
        if ours and (found is None or crl.number > found.number):
            found = crl
    return None if found is None else found.counts_until_ms


def _signers_of(anchor: DocumentAnchor) -> dict[str, x509.Certificate]:
    certificates = [load_pem(text) for text in (anchor.certificate, *anchor.crl_issuers)]
    return {certificate_sha256(certificate): certificate for certificate in certificates}


def _load(data: bytes) -> x509.CertificateRevocationList:
    if len(data) > MAX_CRL_BYTES:
        raise RefusedError("CRL_SIZE", f"larger than {MAX_CRL_BYTES} bytes", field="crl")
    if data.startswith(b"-----BEGIN"):
        return x509.load_pem_x509_crl(data)
    return x509.load_der_x509_crl(data)


def _number(crl: x509.CertificateRevocationList) -> int:
    """Return the CRL number; refuse delta, partial and indirect lists, however they are marked."""
    try:
        extensions = list(crl.extensions)
        number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        raise RefusedError("CRL_UNREADABLE", "a revocation list needs a CRL number", field="crl") from None
    if any(extension.critical or isinstance(extension.value, _PARTIAL) for extension in extensions):
        raise RefusedError("CRL_UNREADABLE", "only complete revocation lists count", field="crl")
    return number


def _signer(crl: x509.CertificateRevocationList, trust: TrustPolicy) -> str:
    for anchor in trust.anchors:
        for fingerprint, certificate in _signers_of(anchor).items():
            if certificate.subject == crl.issuer and _signed_by(crl, certificate):
                return fingerprint
    raise RefusedError("CRL_ISSUER_UNKNOWN", "no configured issuer signed this revocation list", field="crl")


def _signed_by(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey):
        return False
    strong = strong_key(key) and strong_hash(crl.signature_hash_algorithm)
    return strong and _may_sign_lists(certificate) and crl.is_signature_valid(key)


def _may_sign_lists(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return False


def _millis(moment: dt.datetime) -> int:
    return (moment - _EPOCH) // dt.timedelta(milliseconds=1)
