"""Signatures on documents that are not of our profile are told as they are, and nothing is accepted."""

from __future__ import annotations

from pathlib import Path

import pytest

from garim.documents import policy as policies
from garim.documents.explaining import Explained, Measure, explain
from garim.documents.fields import parse_instant
from garim.documents.foreign import foreign_signatures
from garim.documents.formats import open_document
from garim.documents.media_types import media_type_of
from garim.documents.policy import load_policy

KR = Path(policies.__file__).with_name("kr.yaml")
VECTORS = Path(__file__).parents[4] / "shared" / "testdata" / "vectors"


def told(data: bytes, at: str) -> Explained:
    measure = Measure(load_policy(KR.read_bytes()), parse_instant(at))
    return explain(media_type_of(data), data, open_document, measure, foreign_signatures)


def vector(*places: str) -> bytes:
    path = VECTORS.joinpath(*places)
    if not path.exists():
        pytest.skip("the shared vectors are not here")
    return path.read_bytes()


@pytest.mark.shared
def test_a_signed_message_of_the_standard_is_valid_in_its_certificates_life_and_never_accepted() -> None:
    data = vector("etsi-103120", "v1.23.1", "examples", "xml", "request6_signed.xml")
    for at, valid in (("2022-06-01", True), ("2026-11-22", False), ("2021-01-01", False)):
        found = told(data, at)
        assert (found.signatures.valid, found.accepted) == (valid, False)
        assert found.signatures.signers == ("CN=test",)
        assert "TRUST_NOT_CHECKED" in {one.reason for one in found.signatures.reasons}


@pytest.mark.shared
@pytest.mark.parametrize("at", ["2019-06-01", "2022-06-01", "2026-11-22"])
def test_the_older_editions_signed_message_is_never_valid(at: str) -> None:
    found = sorted((VECTORS / "etsi-103120").rglob("v1.12.1/**/request6_signed.xml"))
    if not found:
        pytest.skip("the shared vectors are not here")
    explained = told(found[0].read_bytes(), at)
    assert (explained.signatures.valid, explained.accepted) == (False, False)


@pytest.mark.shared
def test_a_signed_pdf_of_somebody_is_told_with_its_signers_and_not_accepted() -> None:
    data = vector("pyhanko-pdf", "minimal-signed-twice-second-created.pdf")
    found = told(data, "2020-12-01")
    assert not found.accepted
    assert found.signatures.signers
    changed = told(data.replace(b"/MediaBox", b"/MediaBix", 1), "2020-12-01")
    assert not changed.signatures.valid


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"<a/>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"])
def test_without_a_signature_nothing_is_valid(data: bytes) -> None:
    found = told(data, "2026-11-22")
    assert (found.signatures.valid, found.signatures.signers, found.accepted) == (False, (), False)
    assert all(basis for _, basis in found.reasons)
