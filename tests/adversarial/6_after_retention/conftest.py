from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from custody_support.vault import NOW, CustodyOperator, Vault
from garim.testing.pki import DocumentPki, make_pki


@pytest.fixture(scope="session")
def pki() -> DocumentPki:
    return make_pki(NOW)


@pytest.fixture
def vault(tmp_path: Path, pki: DocumentPki) -> Iterator[Vault]:
    opened = Vault(tmp_path, CustodyOperator(pki))
    yield opened
    opened.close()
