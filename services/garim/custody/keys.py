"""Custody's statement key."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from garim.kit.files import read_secret_file
from garim.statements.refusal import Kind, RefusedError


def load_statement_key(path: Path) -> Ed25519PrivateKey:
    """Read a statement key.

    Args:
        path: PKCS #8 PEM, mode 0600.

    Raises:
        RefusedError: `KEY_FILE_MODE`, `FILE_MISSING`, `FILE_UNREADABLE`, `FILE_SIZE`, or `KEY_FILE_FORMAT`.
    """
    data = read_secret_file(path, "statement key")
    try:
        key = load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _format(path) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _format(path)
    return key


def demand_pinned(key: Ed25519PrivateKey, pinned: list[bytes]) -> None:
    """Refuse to work with a key that governance does not pin: nobody would believe it.

    Args:
        key: The statement key.
        pinned: Raw public keys that governance pins for custody.

    Raises:
        RefusedError: `STATEMENT_KEY`.
    """
    if key.public_key().public_bytes_raw() not in pinned:
        raise RefusedError("STATEMENT_KEY", "governance pins another statement key", kind=Kind.PRECONDITION)


def _format(path: Path) -> RefusedError:
    return RefusedError(
        "KEY_FILE_FORMAT",
        f"{path} is no Ed25519 key in PKCS #8 PEM without a passphrase",
        kind=Kind.PRECONDITION,
    )
