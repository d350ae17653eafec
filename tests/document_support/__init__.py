"""Each format of documents as tests and figures make it: the same claims, signed by the same people."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from unittest import mock

from cryptography import x509

from garim.documents.media_types import JWS_MEDIA_TYPE, PDF_MEDIA_TYPE
from garim.documents.pdf.writing import draft_pdf, sign_pdf
from garim.documents.sign import PrivateKey, sign_document

AT = dt.datetime(2026, 11, 22, 6, 0, tzinfo=dt.UTC)
Signer = tuple[PrivateKey, Sequence[x509.Certificate]]


def signed_pdf(payload: bytes, *signers: Signer) -> bytes:
    """Return a PDF with these claims, signed by each in turn."""
    # Whoever attacks draws what cannot be read, too.
    with mock.patch("garim.documents.pdf.writing.strict_json.parse_object", json.loads):
        data = draft_pdf(payload)
    for key, chain in signers:
        data = sign_pdf(data, key, chain, AT)
    return data


SIGN: dict[str, Callable[..., bytes]] = {JWS_MEDIA_TYPE: sign_document, PDF_MEDIA_TYPE: signed_pdf}
"""How claims are signed in each format: payload, then key and chain of each signer in order."""
