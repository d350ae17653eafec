"""The recipient's acknowledgement of a delivered package, signed by the certificate that the document names.

A file of JSON: ``{"certificate": DER in base64, "statement": DSSE envelope}``. The envelope's payload names
the package's digest; its signature is ES256 (DER form) or Ed25519 by the certificate's key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import ClassVar, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from garim.statements import dsse, strict_json
from garim.statements.model import Closed, Digest, Millis, payload_type
from garim.statements.refusal import Kind, RefusedError


class Acknowledgement(Closed):
    """That a package was received whole.

    Attributes:
        package: SHA-256 of the encrypted package.
        received: When, in milliseconds since 1970.
    """

    PAYLOAD_TYPE: ClassVar[str] = payload_type("acknowledgement")

    format: Literal["garim-acknowledgement/1"]
    package: Digest
    received: Millis


def write_acknowledgement(
    package: str, received: int, certificate: x509.Certificate, signer: Callable[[bytes], bytes]
) -> bytes:
    """Return a signed acknowledgement file.

    Args:
        package: SHA-256 of the encrypted package, hexadecimal.
        received: When it was received, in milliseconds since 1970.
        certificate: The certificate that the document names.
        signer: Signs bytes with its key.
    """
    body = Acknowledgement(format="garim-acknowledgement/1", package=package, received=received)
    envelope = dsse.sign(Acknowledgement.PAYLOAD_TYPE, body.to_bytes(), signer)
    der = certificate.public_bytes(serialization.Encoding.DER)
    return strict_json.dump(
        {"certificate": base64.b64encode(der).decode(), "statement": dsse.to_json(envelope)}
    )


def verify_acknowledgement(data: bytes, *, signer: str, package: str) -> Acknowledgement:
    """Return the acknowledgement if the named certificate signed it for this package.

    Args:
        data: The file.
        signer: SHA-256 of the certificate that the document names, hexadecimal.
        package: SHA-256 of the package, hexadecimal.

    Raises:
        RefusedError: `ACKNOWLEDGEMENT_FORMAT`, `ACKNOWLEDGEMENT_SIGNER` or `ACKNOWLEDGEMENT_DIGEST`.
    """
    value = strict_json.parse_object(data)
    if value.keys() != {"certificate", "statement"}:
        raise RefusedError("ACKNOWLEDGEMENT_FORMAT", "must hold certificate and statement, nothing else")
    try:
        der = base64.b64decode(value["certificate"], validate=True)
        certificate = x509.load_der_x509_certificate(der)
    except (TypeError, ValueError):
        raise RefusedError(
            "ACKNOWLEDGEMENT_FORMAT", "the certificate is not DER in base64", field="certificate"
        ) from None
    if not hmac.compare_digest(hashlib.sha256(der).hexdigest(), signer):
        raise RefusedError(
            "ACKNOWLEDGEMENT_SIGNER", "the document names another certificate", kind=Kind.FORBIDDEN
        )
    envelope = dsse.from_json(value["statement"])
    _verify(certificate, envelope)
    acknowledgement = Acknowledgement.from_bytes(envelope.payload)
    if acknowledgement.package != package:
        raise RefusedError("ACKNOWLEDGEMENT_DIGEST", "it acknowledges another package", field="package")
    return acknowledgement


def _verify(certificate: x509.Certificate, envelope: dsse.Envelope) -> None:
    signed = dsse.pae(Acknowledgement.PAYLOAD_TYPE, envelope.payload)
    key = certificate.public_key()
    try:
        if envelope.payload_type != Acknowledgement.PAYLOAD_TYPE or len(envelope.signatures) != 1:
            raise InvalidSignature
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(envelope.signatures[0].sig, signed)
        elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
            key.verify(envelope.signatures[0].sig, signed, ec.ECDSA(hashes.SHA256()))
        else:
            raise InvalidSignature
    except InvalidSignature:
        raise RefusedError(
            "ACKNOWLEDGEMENT_SIGNER", "the certificate's key did not sign it", kind=Kind.FORBIDDEN
        ) from None
