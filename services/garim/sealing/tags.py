"""Blinded tags: how the store finds a subject's conversations without knowing anybody's name."""

from __future__ import annotations

import functools
import hmac
import unicodedata

from garim.sealing.secret import Secret
from garim.statements.labels import Purpose, bind, lp
from garim.statements.refusal import RefusedError

KINDS = ("account", "phone", "email", "conversation")


def normalise(kind: str, value: str) -> str:
    """Return the one form of an identifier that is blinded and compared.

    Args:
        kind: `account`, `phone`, `email` or `conversation`.
        value: As the back end or the document gives it.

    Raises:
        RefusedError: `IDENTIFIER_KIND`, `IDENTIFIER_EMPTY` or `IDENTIFIER_PHONE` (not E.164).
    """
    if kind not in KINDS:
        raise RefusedError("IDENTIFIER_KIND", "an identifier is an account, phone or email", field="kind")
    text = unicodedata.normalize("NFC", value).strip()
    if kind == "email":
        text = text.lower()
    if kind == "phone":
        text = unicodedata.normalize("NFKC", text)
        text = text.replace(" ", "").replace("-", "").replace(".", "").replace("(", "").replace(")", "")
        if not (
            text.startswith("+") and text[1:].isascii() and text[1:].isdigit() and 7 <= len(text[1:]) <= 15
        ):
            raise RefusedError("IDENTIFIER_PHONE", "write phone numbers as E.164: +82…", field="value")
    if not text:
        raise RefusedError("IDENTIFIER_EMPTY", "the identifier is empty", field="value")
    return text


def tag(index_key: Secret, mesh: str, kind: str, value: str) -> bytes:
    """Return the 32-byte blinded tag of an identifier in one epoch.

    Args:
        index_key: The epoch's index key K.
        mesh: Name of the mesh.
        kind: Kind of identifier.
        value: The identifier; it is normalised first.
    """
    label = _head(mesh, kind) + lp(normalise(kind, value).encode())
    return hmac.digest(index_key.buffer, label, "sha256")


@functools.lru_cache(maxsize=16)
def _head(mesh: str, kind: str) -> bytes:
    """Return what all tags of a kind bind."""
    return bind(Purpose.TAG, mesh, kind.encode())


def roster_asking(index_key: Secret, mesh: str, conversation_tag: bytes, digest: bytes) -> bytes:
    """Return the form under which the store remembers a plaintext roster's digest for one epoch."""
    return hmac.digest(
        index_key.buffer, bind(Purpose.ROSTER_ASKING, mesh, conversation_tag, digest), "sha256"
    )
