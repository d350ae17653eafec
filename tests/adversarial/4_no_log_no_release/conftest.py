from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger_support.mesh import LedgerMesh


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[LedgerMesh]:
    mesh = LedgerMesh(tmp_path)
    mesh.begin()
    yield mesh
    mesh.close()


@pytest.fixture
def empty_mesh(tmp_path: Path) -> Iterator[LedgerMesh]:
    mesh = LedgerMesh(tmp_path)
    yield mesh
    mesh.close()
