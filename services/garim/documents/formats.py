"""The seam for formats of documents: each opens its envelope; it judges no trust and no claims.

Loads every parser there is: imported only by the process that opens documents, by tools that make them, and
by tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from garim.documents import jws
from garim.documents.envelope import Envelope
from garim.documents.etsi.opening import open_message
from garim.documents.media_types import ETSI_MEDIA_TYPE, JWS_MEDIA_TYPE, PDF_MEDIA_TYPE
from garim.documents.pdf import open_pdf
from garim.statements.refusal import RefusedError

_open_court = partial(open_pdf, signers=1)

FORMATS: Mapping[str, Callable[[bytes], Envelope]] = MappingProxyType(
    {
        JWS_MEDIA_TYPE: jws.open_envelope,
        PDF_MEDIA_TYPE: open_pdf,
        ETSI_MEDIA_TYPE: partial(open_message, open_court=_open_court),
    }
)
"""How each format taken in is opened, by media type.

An opener returns what two signatures cover, both found right, or raises a `RefusedError`.
"""


def open_document(media_type: str, data: bytes) -> Envelope:
    """Open a document in this process; an `OpenDocument`.

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
