"""Base64 in its one canonical form, so that equal bytes have one spelling (RFC 7515 section 2, RFC 4648)."""

from __future__ import annotations

import base64

from garim.statements.refusal import RefusedError


def encode(data: bytes) -> str:
    """Return `data` as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def encode_standard(data: bytes) -> str:
    """Return `data` as padded base64, as `x5c` demands."""
    return base64.b64encode(data).decode("ascii")


def decode(text: object, *, field: str) -> bytes:
    """Decode canonical base64url without padding.

    Args:
        text: The JSON value that should hold it.
        field: Path of the value, for the refusal.

    Raises:
        RefusedError: `BASE64_NOT_CANONICAL`.
    """
    if isinstance(text, str):
        try:
            data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except ValueError:
            data = b""
        if data and encode(data) == text:
            return data
    raise RefusedError(
        "BASE64_NOT_CANONICAL", "write unpadded base64url in its canonical form, not empty", field=field
    )


def decode_standard(text: object, *, field: str) -> bytes:
    """Decode canonical padded base64, as `x5c` demands (RFC 7515 section 4.1.6).

    Args:
        text: The JSON value that should hold it.
        field: Path of the value, for the refusal.

    Raises:
        RefusedError: `BASE64_NOT_CANONICAL`.
    """
    if isinstance(text, str):
        try:
            data = base64.b64decode(text, validate=True)
        except ValueError:
            data = b""
        if data and encode_standard(data) == text:
            return data
    raise RefusedError(
        "BASE64_NOT_CANONICAL", "write padded base64 in its canonical form, not empty", field=field
    )
