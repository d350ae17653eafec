"""Signatures without the format around them: a key, the exact bytes, a value."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from garim.documents.keys import strong_key

ECDSA = "ecdsa-sha256"
ED25519 = "ed25519"
_P256_BYTES = 32
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


def rsa_scheme(digest: str, *, pss: bool) -> str:
    """Return the name of RSA with PKCS #1 version 1.5 or PSS padding over a digest."""
    return f"rsa-{'pss' if pss else 'pkcs1'}-{digest}"


_RSA = MappingProxyType(
    {
        rsa_scheme(name, pss=pss): (
            padding.PSS(padding.MGF1(digest), padding.PSS.AUTO) if pss else padding.PKCS1v15(),
            digest,
        )
        for name, digest in _HASHES.items()
        for pss in (False, True)
    }
)


@dataclasses.dataclass(frozen=True)
class BareSignature:
    """One signature.

    Attributes:
        scheme: `ECDSA` (P-256, value in DER), `ED25519`, or a name from `rsa_scheme`.
        signed: The exact bytes that the key signed.
        value: The signature's value.
    """

    scheme: str
    signed: bytes
    value: bytes


def digest_of(scheme: str) -> str:
    """Return the digest that goes with a scheme in CMS; SHA-512 with Ed25519 (RFC 8419 clause 3.1)."""
    return "sha512" if scheme == ED25519 else scheme.rpartition("-")[2]


def der_of(value: bytes) -> bytes:
    """Return the DER of an ECDSA value over P-256 that JWS or XML writes as r and s, 32 bytes each."""
    if len(value) != 2 * _P256_BYTES:
        return b""
    r, s = value[:_P256_BYTES], value[_P256_BYTES:]
    return encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))


def is_right(signature: BareSignature, leaf: x509.Certificate) -> bool:
    """Tell whether a certificate's key made a signature, with a scheme that fits the key.

    Args:
        signature: The signature.
        leaf: The signer's certificate.
    """
    scheme = signature.scheme
    try:
        key = leaf.public_key()
        if isinstance(key, ed25519.Ed25519PublicKey) and scheme == ED25519:
            key.verify(signature.value, signature.signed)
        elif isinstance(key, ec.EllipticCurvePublicKey) and _is_p256(key) and scheme == ECDSA:
            key.verify(signature.value, signature.signed, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, rsa.RSAPublicKey) and strong_key(key) and scheme in _RSA:
            key.verify(signature.value, signature.signed, *_RSA[scheme])
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _is_p256(key: ec.EllipticCurvePublicKey) -> bool:
    return isinstance(key.curve, ec.SECP256R1)
