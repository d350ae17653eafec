"""HPKE (RFC 9180) with MLKEM768_X25519, HKDF_SHA256 and AES_256_GCM, bound through `info`."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from garim.sealing.secret import Secret
from garim.statements.refusal import Kind, RefusedError

MLKEM_SEED_BYTES = 64
MLKEM_PUBLIC_BYTES = 1184
PRIVATE_BYTES = MLKEM_SEED_BYTES + 32
PUBLIC_BYTES = MLKEM_PUBLIC_BYTES + 32

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def generate() -> tuple[Secret, bytes]:
    """Make a key pair.

    Returns:
        The private key (ML-KEM seed, then X25519 bytes; 96 bytes) and the public key (1,216 bytes).
    """
    private = Secret.random(PRIVATE_BYTES)
    return private, public_key(private)


def _view(private: Secret) -> memoryview:
    if len(private) != PRIVATE_BYTES:
        raise RefusedError("KEY_LENGTH", f"an HPKE private key has {PRIVATE_BYTES} bytes")
    return memoryview(private.buffer)


def _private(private: Secret) -> MLKEM768X25519PrivateKey:
    view = _view(private)
    return MLKEM768X25519PrivateKey(
        MLKEM768PrivateKey.from_seed_bytes(view[:MLKEM_SEED_BYTES]),
        X25519PrivateKey.from_private_bytes(view[MLKEM_SEED_BYTES:]),
    )


def public_key(private: Secret) -> bytes:
    """Return the public key (ML-KEM then X25519; 1,216 bytes) of a private key.

    Raises:
        RefusedError: `KEY_LENGTH`.
    """
    view = _view(private)
    mlkem = MLKEM768PrivateKey.from_seed_bytes(view[:MLKEM_SEED_BYTES]).public_key().public_bytes_raw()
    x25519 = X25519PrivateKey.from_private_bytes(view[MLKEM_SEED_BYTES:]).public_key().public_bytes_raw()
    return mlkem + x25519


def load_public(public: bytes) -> MLKEM768X25519PublicKey:
    """Return the public key object for repeated use.

    Raises:
        RefusedError: `KEY_LENGTH` or `KEY_VALUE`.
    """
    if len(public) != PUBLIC_BYTES:
        raise RefusedError("KEY_LENGTH", f"an HPKE public key has {PUBLIC_BYTES} bytes")
    try:
        return MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(public[:MLKEM_PUBLIC_BYTES]),
            X25519PublicKey.from_public_bytes(public[MLKEM_PUBLIC_BYTES:]),
        )
    except ValueError as error:
        raise RefusedError("KEY_VALUE", "the HPKE public key is malformed") from error


def seal(plaintext: bytes | bytearray, public: bytes, info: bytes) -> bytes:
    """Seal to a public key (single shot, RFC 9180 section 6.1, base mode).

    Args:
        plaintext: What to seal.
        public: The recipient's public key, 1,216 bytes.
        info: What the sealing is bound to.

    Raises:
        RefusedError: `KEY_LENGTH` or `KEY_VALUE` (malformed, or of small order).
    """
    key = load_public(public)
    try:
        return _SUITE.encrypt(plaintext, key, info=info)
    except ValueError as error:
        raise RefusedError("KEY_VALUE", "the HPKE public key is malformed") from error


def open_sealed(sealed: bytes, private: Secret, info: bytes) -> Secret:
    """Open what was sealed to the private key's public key under the same `info`.

    Raises:
        RefusedError: `SEALING_OPEN` where it does not open.
    """
    try:
        return Secret(bytearray(_SUITE.decrypt(sealed, _private(private), info=info)))
    except (InvalidTag, ValueError):
        raise RefusedError(
            "SEALING_OPEN", "the sealed value does not open under this key and binding", kind=Kind.DATA_LOSS
        ) from None
