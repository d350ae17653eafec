from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from warrants_support.process import WarrantsMesh


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[WarrantsMesh]:
    opened = WarrantsMesh(tmp_path)
    yield opened
    opened.close()
