"""The Ed25519 key that signs a service's statements, or the log's checkpoints."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from garim.kit.files import read_secret_file
from garim.statements.refusal import Kind, RefusedError


def load_statement_key(path: Path, what: str = "statement key") -> Ed25519PrivateKey:
    """Read the key that a service signs with.

    Args:
        path: PKCS #8 PEM without a passphrase, mode 0600.
        what: What it is, for the message.

    Raises:
        RefusedError: `KEY_FILE_MODE`, `FILE_MISSING`, `FILE_UNREADABLE`, `FILE_SIZE`, or `KEY_FILE_FORMAT`.
    """
    data = read_secret_file(path, what)
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise RefusedError(
            "KEY_FILE_FORMAT",
            f"the {what} {path} is no Ed25519 key in PKCS #8 PEM without a passphrase",
            kind=Kind.PRECONDITION,
        )
    return key


def demand_pinned(key: Ed25519PrivateKey, pinned: Collection[bytes]) -> None:
    """Refuse to work with a key that governance does not pin: nobody would believe it.

    Args:
        key: The statement key.
        pinned: Raw public keys that governance pins for the service.

    Raises:
        RefusedError: `STATEMENT_KEY`.
    """
    if key.public_key().public_bytes_raw() not in pinned:
        raise RefusedError("STATEMENT_KEY", "governance pins another statement key", kind=Kind.PRECONDITION)
