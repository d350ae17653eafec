from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from custody_support.second import Packed, SecondVault, made_vault
from custody_support.vault import NOW
from garim.testing.pki import DocumentPki, make_pki


@pytest.fixture(scope="session")
def pki() -> DocumentPki:
    return make_pki(NOW)


@pytest.fixture
def vault(tmp_path: Path, pki: DocumentPki) -> Iterator[SecondVault]:
    made = made_vault(tmp_path, pki)
    yield made
    made.close()


@pytest.fixture
def packed(vault: SecondVault) -> Packed:
    return vault.pack()
