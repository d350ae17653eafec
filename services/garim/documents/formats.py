"""The seam for formats of documents: each opens its envelope and reads its claims; it judges no trust."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from garim.documents import claims, jws
from garim.statements.refusal import RefusedError

JWS_MEDIA_TYPE = "application/vnd.garim.document+jws"


class DocumentFormat(Protocol):
    """How one media type is opened and read."""

    def open(self, data: bytes) -> jws.Envelope:
        """Return the bytes that two signatures cover, both found right, with their chains.

        Args:
            data: The document as received.

        Raises:
            RefusedError: Whatever is wrong with the envelope or its signatures.
        """

    def read(self, payload: bytes) -> claims.Claims:
        """Return what the covered bytes say; called only after both signers are trusted.

        Args:
            payload: As `open` returned it.

        Raises:
            RefusedError: Whatever is unknown, repeated, missing or malformed, by field.
        """


class JwsFormat:
    """Our own format: JWS over JSON."""

    def open(self, data: bytes) -> jws.Envelope:
        """Open the envelope; see `jws.open_envelope`."""
        return jws.open_envelope(data)

    def read(self, payload: bytes) -> claims.Claims:
        """Read the payload; see `claims.read_claims`."""
        return claims.read_claims(payload)


FORMATS: Mapping[str, DocumentFormat] = MappingProxyType({JWS_MEDIA_TYPE: JwsFormat()})
"""The formats taken in, by media type."""


def format_of(media_type: str, formats: Mapping[str, DocumentFormat] = FORMATS) -> DocumentFormat:
    """Return the format of a media type.

    Raises:
        RefusedError: `FORMAT_UNKNOWN`.
    """
    if media_type not in formats:
        raise RefusedError(
            "FORMAT_UNKNOWN", f"send a document as one of: {', '.join(sorted(formats))}", field="media_type"
        )
    return formats[media_type]
