"""Fixtures of the transparency log's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from unit.translog.small_log import SmallLog, make_small_log

C2SP = Path(__file__).parents[4] / "shared/testdata/vectors/c2sp"


@pytest.fixture(scope="session")
def small_log() -> SmallLog:
    return make_small_log()


@pytest.fixture(scope="session")
def c2sp() -> Callable[[str], str]:
    def read(name: str) -> str:
        if not C2SP.is_dir():
            pytest.skip("the outside vectors are absent")
        return (C2SP / name).read_text()

    return read
