from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from custody_support.vault import NOW, CustodyOperator, Vault
from garim.testing.pki import DocumentPki, make_pki
from garim.testing.records import Stored


@pytest.fixture(scope="session")
def pki() -> DocumentPki:
    return make_pki(NOW)


@pytest.fixture
def vault(tmp_path: Path, pki: DocumentPki) -> Iterator[Vault]:
    opened = Vault(tmp_path, CustodyOperator(pki))
    yield opened
    opened.close()


@pytest.fixture
def stored(vault: Vault) -> Stored:
    """One message of the subject's, stored two days before the request; time has come to the request."""
    made = vault.sample(vault.stored_epoch())
    vault.until_request()
    return made
