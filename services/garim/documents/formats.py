"""The seam for formats of documents: each opens its envelope; it judges no trust and no claims."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from garim.documents import jws
from garim.documents.envelope import Envelope
from garim.statements.refusal import RefusedError

JWS_MEDIA_TYPE = "application/vnd.garim.document+jws"

OpenDocument = Callable[[str, bytes], Envelope]
"""Opens a document of a media type: `open_document` itself, or what has a child process do it."""

FORMATS: Mapping[str, Callable[[bytes], Envelope]] = MappingProxyType({JWS_MEDIA_TYPE: jws.open_envelope})
"""How each format taken in is opened, by media type.

An opener returns what two signatures cover, both found right, or raises a `RefusedError`.
"""


def open_document(media_type: str, data: bytes) -> Envelope:
    """Open a document here and now; an `OpenDocument`.

    Args:
        media_type: Its format.
        data: The document as received.

    Raises:
        RefusedError: `FORMAT_UNKNOWN`, or whatever is wrong with the envelope or its signatures.
    """
    if media_type not in FORMATS:
        raise RefusedError(
            "FORMAT_UNKNOWN", f"send a document as one of: {', '.join(sorted(FORMATS))}", field="media_type"
        )
    return FORMATS[media_type](data)
