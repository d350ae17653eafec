"""Messages are read in confined children, and fit the schemas where an operator has them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import etsi_support as etsi
from garim.documents.etsi import write
from garim.documents.etsi.exchange import exchange_of
from garim.documents.media_types import ETSI_MEDIA_TYPE
from garim.kit.document_opener import DocumentOpener
from garim.statements.refusal import RefusedError
from garim.testing.pki import DocumentPki, make_pki

shared = pytest.mark.skipif(not etsi.EXAMPLES.is_dir(), reason="the outside test data is absent")


@pytest.fixture(scope="module")
def pki() -> DocumentPki:
    return make_pki(dt.datetime.now(dt.UTC))


@pytest.fixture(scope="module")
def plain() -> Iterator[DocumentOpener]:
    with closing(DocumentOpener()) as opener:
        yield opener


def question(pki: DocumentPki) -> bytes:
    return etsi.signed(etsi.agency(pki), write.query(etsi.writing(pki), []))


def refused(opener: DocumentOpener, data: bytes) -> list[str]:
    return [one.reason for one in exchange_of(opener.read_message(data)).refusals]


def test_a_child_reads_a_message_and_says_who_signed_it(plain: DocumentOpener, pki: DocumentPki) -> None:
    read = exchange_of(plain.read_message(question(pki)))
    assert read.message is not None
    assert len(read.chain) == 1


@pytest.mark.parametrize("data", [b"", b"{}", b"<a/>", b"\xff", b"<!DOCTYPE a><a/>", b"<a>" * 100_000])
def test_what_is_no_message_is_a_refusal(plain: DocumentOpener, data: bytes) -> None:
    read = exchange_of(plain.read_message(data))
    assert (read.message, read.chain) == (None, ())
    assert read.refusals


def test_reading_a_message_opens_no_document(plain: DocumentOpener, pki: DocumentPki) -> None:
    """A message is no document: nobody gets it taken for one by naming no format."""
    for media_type in ("", ETSI_MEDIA_TYPE):
        with pytest.raises(RefusedError):
            plain.open(media_type, question(pki))


@pytest.mark.shared
@shared
def test_schemas_are_loaded_before_and_messages_must_fit_them(pki: DocumentPki, tmp_path: Path) -> None:
    for name, data in etsi.schema_files("v1.23.1").items():
        (tmp_path / name).write_bytes(data)
    unfit = write.query(etsi.writing(pki), []).replace(
        b"<ActionIdentifier>0</ActionIdentifier><LIST>",
        b"<ActionIdentifier>0</ActionIdentifier><LIST><Surprise/>",
    )
    with closing(DocumentOpener(schemas=tmp_path)) as opener:
        assert refused(opener, question(pki)) == []
        assert refused(opener, etsi.signed(etsi.agency(pki), unfit)) == ["SCHEMA_INVALID"]


def test_a_folder_that_holds_no_schemas_keeps_the_service_from_starting(tmp_path: Path) -> None:
    (tmp_path / "broken.xsd").write_bytes(b"<broken/>")
    with pytest.raises(RefusedError):
        DocumentOpener(schemas=tmp_path)
