from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from garim.testing.operator import SampleOperator
from garim.testing.pki import DocumentPki, make_pki
from warrants_support.desk import NOW, POLICY, Desk


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
