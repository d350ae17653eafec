from __future__ import annotations

from pathlib import Path

import pytest

from cli_support.world import SampleCase, World, make_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world") / "mesh")


@pytest.fixture(scope="session")
def case(world: World, tmp_path_factory: pytest.TempPathFactory) -> SampleCase:
    return SampleCase(world, tmp_path_factory.mktemp("case"))


@pytest.fixture
def mesh(world: World) -> Path:
    return world.root
