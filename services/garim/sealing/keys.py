"""Keys derived by HKDF-Expand (RFC 5869) and used once with AES-256-GCM."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from garim.sealing.secret import Secret
from garim.statements.refusal import Kind, RefusedError

KEY_BYTES = 32
ZERO_NONCE = bytes(12)


def expand(secret: Secret, label: bytes) -> Secret:
    """Derive a 32-byte key from a secret.

    Args:
        secret: The secret; uniformly random.
        label: What the key is for, made by `labels.bind`.
    """
    buffer = bytearray(KEY_BYTES)
    HKDFExpand(algorithm=SHA256(), length=KEY_BYTES, info=label).derive_into(secret.buffer, buffer)
    return Secret(buffer)


def encrypt_once(key: Secret, plaintext: bytes | bytearray, associated: bytes) -> bytes:
    """Encrypt under a key that is used this once.

    Args:
        key: A key derived for this one plaintext.
        plaintext: What to encrypt.
        associated: Data that is authenticated with it.
    """
    return AESGCM(key.buffer).encrypt(ZERO_NONCE, plaintext, associated)


def decrypt_once(key: Secret, ciphertext: bytes, associated: bytes) -> bytes:
    """Decrypt what `encrypt_once` made.

    Raises:
        RefusedError: `SEALING_OPEN` where key, ciphertext or associated data are not those it was made with.
    """
    try:
        return AESGCM(key.buffer).decrypt(ZERO_NONCE, ciphertext, associated)
    except InvalidTag:
        raise RefusedError(
            "SEALING_OPEN", "the ciphertext does not open under this key and binding", kind=Kind.DATA_LOSS
        ) from None
