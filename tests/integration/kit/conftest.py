from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kit_support.authority import Authority
from kit_support.running import Running, serve


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "pki")


@pytest.fixture
def running(tmp_path: Path, authority: Authority) -> Iterator[Running]:
    served = serve(tmp_path, authority)
    yield served
    served.close()
