"""Each format of documents as tests and figures make it: the same claims, signed by the same people."""

from __future__ import annotations

import datetime as dt
import json
import random
import uuid
from collections.abc import Callable, Sequence
from unittest import mock

from cryptography import x509

from garim.documents.claims import read_claims
from garim.documents.etsi import write
from garim.documents.etsi.sign import sign_message
from garim.documents.media_types import ETSI_MEDIA_TYPE, JWS_MEDIA_TYPE, PDF_MEDIA_TYPE
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


def signed_message(payload: bytes, *signers: Signer, court: bytes = b"") -> bytes:
    """Return an HI1 request for these claims around the court's PDF.

    Args:
        payload: What is asked.
        signers: The court, whose signature the PDF bears, and the agency, which signs the message; one
            alone leaves the message unsigned.
        court: What the court's PDF says; the same where empty.
    """
    asked = read_claims(payload)
    numbers = random.Random(payload)
    writing = write.Writing(
        asked.authority,
        asked.audience,
        asked.issued_ms,
        lambda: str(uuid.UUID(int=numbers.getrandbits(128), version=4)),
    )
    message = write.request(writing, asked, signed_pdf(court or payload, *signers[:1]))
    return sign_message(message, *signers[1]) if signers[1:] else message  # type: ignore[arg-type]


SIGN: dict[str, Callable[..., bytes]] = {
    JWS_MEDIA_TYPE: sign_document,
    PDF_MEDIA_TYPE: signed_pdf,
    ETSI_MEDIA_TYPE: signed_message,
}
"""How claims are signed in each format: payload, then key and chain of each signer in order."""
