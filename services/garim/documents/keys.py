"""Which keys and hashes count in a certificate: one rule for signers, authorities and revocation lists.

A format may accept fewer for the signature on a document: JWS takes P-256 and Ed25519, HI1 P-256 and RSA,
PDF all three.
"""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

MIN_RSA_BITS = 3072
"""Shorter RSA keys are refused (SOG-IS Agreed Cryptographic Mechanisms 1.3, clause 5.1)."""
_MIN_EXPONENT = 65537
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


def strong_key(key: object) -> bool:
    """Tell whether a public key may stand in a certificate, whoever holds it.

    Args:
        key: As `cryptography` reads it.
    """
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= MIN_RSA_BITS and key.public_numbers().e >= _MIN_EXPONENT
    if isinstance(key, ec.EllipticCurvePublicKey):
        return isinstance(key.curve, _CURVES)
    return isinstance(key, ed25519.Ed25519PublicKey)


def strong_hash(algorithm: hashes.HashAlgorithm | None) -> bool:
    """Tell whether a signature over a certificate or list rests on SHA-2, or on Ed25519, which names none.

    Args:
        algorithm: The hash of the signature.
    """
    return algorithm is None or isinstance(algorithm, _HASHES)
