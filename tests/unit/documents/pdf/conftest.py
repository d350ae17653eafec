"""One valid document as PDF, in each state on its way to two signatures."""

from __future__ import annotations

import pytest

from garim.documents.pdf.writing import draft_pdf, sign_pdf
from garim.testing import documents
from garim.testing.pki import DocumentPki
from pdf_support import AT, Stages


@pytest.fixture(scope="session")
def stages(pki: DocumentPki) -> Stages:
    payload = documents.payload(documents.disclosure(pki))
    draft = draft_pdf(payload)
    half = sign_pdf(draft, *pki.judge.signer, AT)
    return Stages(payload, draft, half, sign_pdf(half, *pki.chief.signer, AT))
