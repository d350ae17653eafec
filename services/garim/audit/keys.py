"""The key that signs checkpoints."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.audit.settings import LogSettings
from garim.kit.files import read_secret_file
from garim.statements.refusal import Kind, RefusedError
from garim.translog.keys import Signer


def load_signer(settings: LogSettings) -> Signer:
    """Read the key file.

    Args:
        settings: Names the file and the log.

    Raises:
        RefusedError: `KEY_FILE_MODE`, `FILE_MISSING` and others of `read_secret_file`; `KEY_FILE_INVALID`.
    """
    pem = read_secret_file(settings.key, "checkpoint key")
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise RefusedError(
            "KEY_FILE_INVALID",
            f"{settings.key} is no unencrypted Ed25519 private key in PEM",
            kind=Kind.PRECONDITION,
            field="log.key",
        )
    return Signer.of_private_key(settings.origin, key)
