"""A document that takes over the child which opens it changes nothing that its signers did not sign."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import etsi_support
from document_support import SIGN
from garim.documents import formats
from garim.documents.media_types import JWS_MEDIA_TYPE
from garim.kit.document_opener import DocumentOpener
from garim.testing import documents
from garim.testing.pki import DocumentPki


@pytest.fixture(scope="module")
def liar() -> Iterator[DocumentOpener]:
    opener = DocumentOpener("kit_support.liar")
    yield opener
    opener.close()


def signed(pki: DocumentPki, media_type: str) -> bytes:
    claims = documents.payload(documents.disclosure(pki))
    return SIGN[media_type](claims, pki.judge.signer, etsi_support.agency(pki).signer)


def test_of_a_jws_document_the_childs_word_counts_for_nothing(liar: DocumentOpener, pki: DocumentPki) -> None:
    document = signed(pki, JWS_MEDIA_TYPE)
    assert liar.open(JWS_MEDIA_TYPE, document) == formats.open_document(JWS_MEDIA_TYPE, document)
