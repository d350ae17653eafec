from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from redaction_support.office import Office


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    made = Office(tmp_path, monkeypatch)
    yield made
    made.close()
