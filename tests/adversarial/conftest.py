"""One whole mesh for all attacks that need running services, with the sample room and one closed dossier."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh_support.live import LiveMesh
from mesh_support.played import Played, play


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveMesh]:
    """A running mesh."""
    with LiveMesh(tmp_path_factory.mktemp("live") / "mesh") as started:
        yield started


@pytest.fixture(scope="session")
def played(live: LiveMesh, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The sample room, disclosed for one subject, the dossier closed and opened."""
    folder: Path = tmp_path_factory.mktemp("delivered")
    return play(live, folder)
