"""Encrypt an answer to its recipient (age-encryption.org/v1)."""

from __future__ import annotations

import pyrage

from garim.statements.refusal import RefusedError


def encrypt_to(data: bytes, recipient: str) -> bytes:
    """Return `data` encrypted to an age public key.

    Args:
        data: What the recipient alone shall read.
        recipient: The age public key that the signed document names.

    Raises:
        RefusedError: `RECIPIENT`.
    """
    try:
        to = pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError:
        raise RefusedError("RECIPIENT", "the recipient is no age public key", field="recipient") from None
    return bytes(pyrage.encrypt(data, [to]))
