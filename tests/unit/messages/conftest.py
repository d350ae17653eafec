from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from messages_support.store import StoreWorld


@pytest.fixture
def world(tmp_path: Path) -> Iterator[StoreWorld]:
    made = StoreWorld(tmp_path)
    yield made
    made.close()
