"""The names of the formats of documents, and how a file tells which one it is."""

from __future__ import annotations

JWS_MEDIA_TYPE = "application/vnd.garim.document+jws"
PDF_MEDIA_TYPE = "application/pdf"
ETSI_MEDIA_TYPE = "application/vnd.etsi.ts103120+xml"

_BEGINNINGS = {b"%PDF-": PDF_MEDIA_TYPE, b"<": ETSI_MEDIA_TYPE, b"\xef\xbb\xbf<": ETSI_MEDIA_TYPE}


def media_type_of(data: bytes) -> str:
    """Return the format that a document's first bytes show; JWS where they show no other.

    Nothing is trusted by it: whoever opens the document finds out whether it is one.

    Args:
        data: The document.
    """
    start = data[:64].lstrip()
    return next((name for sign, name in _BEGINNINGS.items() if start.startswith(sign)), JWS_MEDIA_TYPE)
