"""Base64 and hexadecimal in their one canonical form."""

from __future__ import annotations

import base64
import binascii

from garim.statements.refusal import RefusedError

HASH_BYTES = 32


def encode_base64(data: bytes) -> str:
    """Return `data` in standard base64 with padding (RFC 4648, section 4)."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str, *, reason: str, field: str) -> bytes:
    """Return what `text` encodes; only the one form that `encode_base64` writes is taken.

    Args:
        text: Standard base64 with padding (RFC 4648, section 4).
        reason: Reason of a refusal.
        field: Path of the field in a refusal.

    Raises:
        RefusedError: `reason`: another alphabet, wrong padding, white space or stray bits.
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise RefusedError(reason, "not standard base64 with padding", field=field) from None
    if encode_base64(data) != text:
        raise RefusedError(reason, "base64 with stray bits: encode it anew", field=field)
    return data


def decode_hash(text: str, *, reason: str, field: str) -> bytes:
    """Return the 32 bytes that `text` writes as 64 lowercase hexadecimal digits.

    Args:
        text: The digits.
        reason: Reason of a refusal.
        field: Path of the field in a refusal.

    Raises:
        RefusedError: `reason`: another length, upper case or other characters.
    """
    if len(text) != 2 * HASH_BYTES or not set(text) <= set("0123456789abcdef"):
        raise RefusedError(reason, "not 64 lowercase hexadecimal digits", field=field)
    return bytes.fromhex(text)
