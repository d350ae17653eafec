"""Documents as PDF in files, for rehearsals: drawn from a draft, and signed."""

from __future__ import annotations

import datetime as dt

from cryptography import x509

from garim.cli.document_files import OpenedFile
from garim.documents import claims as document_claims
from garim.documents.sign import PrivateKey


def draw_file(payload: bytes) -> bytes:
    """Return a readable PDF of a draft, with the draft embedded.

    Raises:
        RefusedError: As `pdf.writing.draft_pdf`.
    """
    from garim.documents.pdf.writing import draft_pdf

    return draft_pdf(payload)


def sign_file(
    data: bytes, key: PrivateKey, chain: list[x509.Certificate], now_ms: int
) -> tuple[bytes, OpenedFile]:
    """Return a PDF with one signature more, and what a receiver will find in it.

    Args:
        data: The PDF, unsigned or signed once.
        key: The signer's.
        chain: Its certificate and intermediates.
        now_ms: When it is signed, milliseconds since 1970.

    Raises:
        RefusedError: Those of `pdf.writing.sign_pdf`, and of `open_pdf`: what is signed must fit the profile.
    """
    from garim.documents.pdf import open_pdf
    from garim.documents.pdf.writing import sign_pdf, signatures_on

    signed = sign_pdf(data, key, chain, dt.datetime.fromtimestamp(now_ms / 1000, tz=dt.UTC))
    envelope = open_pdf(signed, signers=signatures_on(signed))
    claims = document_claims.read_claims(envelope.payload)
    return signed, OpenedFile(envelope.payload, claims, len(envelope.chains))
