"""A document that takes over the child which opens it changes nothing that its signers did not sign."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

import etsi_support
from document_support import SIGN
from garim.documents import formats
from garim.documents.media_types import ETSI_MEDIA_TYPE, JWS_MEDIA_TYPE, PDF_MEDIA_TYPE
from garim.kit.document_opener import DocumentOpener
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.testing.pki import DocumentPki


@pytest.fixture(scope="module", autouse=True)
def children_find_tests() -> Iterator[None]:
    """Let child processes import the attackers, which stand beside the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        yield


@pytest.fixture(scope="module")
def liar() -> Iterator[DocumentOpener]:
    opener = DocumentOpener("kit_support.liar")
    yield opener
    opener.close()


@pytest.fixture(scope="module")
def honest() -> Iterator[DocumentOpener]:
    opener = DocumentOpener()
    yield opener
    opener.close()


def signed(pki: DocumentPki, media_type: str) -> bytes:
    claims = documents.payload(documents.disclosure(pki))
    return SIGN[media_type](claims, pki.judge.signer, etsi_support.agency(pki).signer)


@pytest.mark.parametrize("media_type", sorted(SIGN))
def test_what_an_honest_child_shows_bears_its_answer_out(
    honest: DocumentOpener, pki: DocumentPki, media_type: str
) -> None:
    document = signed(pki, media_type)
    opened = honest.open(media_type, document)
    assert opened == formats.open_document(media_type, document)
    assert opened.shown is None


def test_of_a_jws_document_the_childs_word_counts_for_nothing(liar: DocumentOpener, pki: DocumentPki) -> None:
    document = signed(pki, JWS_MEDIA_TYPE)
    assert liar.open(JWS_MEDIA_TYPE, document) == formats.open_document(JWS_MEDIA_TYPE, document)


@pytest.mark.parametrize("media_type", [PDF_MEDIA_TYPE, ETSI_MEDIA_TYPE])
def test_claims_that_nobody_signed_are_refused(
    liar: DocumentOpener, pki: DocumentPki, media_type: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        liar.open(media_type, signed(pki, media_type))
    assert refused.value.reason in {"DOCUMENT_ANSWER_FALSE", "REQUEST_WIDER"}
