from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from garim.testing.operator import SampleOperator
from garim.testing.pki import DocumentPki, make_pki
from garim.warrants.cases import Case
from warrants_support.desk import NOW, POLICY, Desk
from warrants_support.steps import Others


@pytest.fixture(scope="session")
def pki() -> DocumentPki:
    return make_pki(NOW)


@pytest.fixture
def operator(pki: DocumentPki) -> SampleOperator:
    return SampleOperator(pki, POLICY)


@pytest.fixture
def desk(tmp_path: Path, operator: SampleOperator) -> Iterator[Desk]:
    opened = Desk(tmp_path, operator)
    yield opened
    opened.close()


@pytest.fixture
def others(desk: Desk, tmp_path: Path) -> Iterator[Others]:
    opened = Others(desk, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def granted(desk: Desk) -> Case:
    """A disclosure that is granted, whose acknowledger is the chief investigator."""
    der = desk.pki.chief.certificate.public_bytes(serialization.Encoding.DER)
    return desk.open_case(desk.disclosure(acknowledger=hashlib.sha256(der).hexdigest()))
