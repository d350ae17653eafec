from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from messages_support.served import ServedStore


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedStore]:
    store = ServedStore(tmp_path)
    yield store
    store.close()
