"""PDFs are opened in a child without files, network or further modules, and within its limits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from garim.documents.pdf import open_pdf
from garim.kit.document_opener import DocumentOpener
from garim.statements.refusal import RefusedError
from garim.testing.pki import DocumentPki
from pdf_support import IncrementalPdfFileWriter, Signing, Stages, rsa_key, sign

PDF = "application/pdf"


@pytest.fixture(scope="module")
def opener() -> Iterator[DocumentOpener]:
    one = DocumentOpener()
    yield one
    one.close()


def test_a_child_opens_what_we_open(stages: Stages, opener: DocumentOpener) -> None:
    assert opener.open(PDF, stages.full) == open_pdf(stages.full)


def test_metadata_and_rsa_need_nothing_that_a_child_lacks(
    stages: Stages, pki: DocumentPki, opener: DocumentOpener
) -> None:
    from garim.testing.pki import COURT, issue_person

    judge = issue_person(pki.court_ca, "TEST", "TEST-0009", COURT, pki.now, policies=[], key=rsa_key(3072))
    for pss in (True, False):
        how = Signing(signer={"prefer_pss": pss}, writer=IncrementalPdfFileWriter)
        data = sign(sign(stages.draft, judge, how=how), pki.chief)
        assert opener.open(PDF, data) == open_pdf(data)


def test_a_child_refuses_as_we_do_and_costly_files_end_in_a_refusal(
    stages: Stages, opener: DocumentOpener
) -> None:
    for data in (
        stages.half,
        stages.full + b"\n",
        b"%PDF-1.7\n" + b"[" * 4_000_000,
        b"%PDF-1.7\n<" + b"0" * 8_000_000,
    ):
        with pytest.raises(RefusedError):
            opener.open(PDF, data)
