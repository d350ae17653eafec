"""Fixtures that tests of several kinds share: the engines that a service's tables lie on.

`GARIM_TEST_ENGINE=postgres` runs every test that opens its databases through `kit_support.engines` on a real
PostgreSQL server (`make test-postgres`); without it only those that take `engine` or `new_place` do.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from garim.kit.db import Server
from kit_support.engines import on_postgres
from kit_support.postgres import NewPlace, Postgres, common_server


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """The PostgreSQL server of this run, started when the first test asks for it."""
    base = tmp_path_factory.getbasetemp()
    with common_server((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "postgres") as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewPlace]:
    """A function that gives a place for a new database of a service, on each engine in turn."""
    if request.param == "sqlite":
        yield lambda service: tmp_path / f"{service}.db"
        return
    server: Postgres = request.getfixturevalue("postgres")
    made: list[str] = []

    def place(service: str) -> Server:
        found = server.service(service)
        made.append(found.address.database)
        return found

    yield place
    for name in made:
        server.drop(name)


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each engine in turn; databases that `kit_support.engines` opens meanwhile lie on it."""
    with contextlib.ExitStack() as stack:
        if request.param == "postgres":
            stack.enter_context(on_postgres(request.getfixturevalue("postgres")))
        yield request.param


@pytest.fixture(autouse=True)
def _engine_of_the_run(request: pytest.FixtureRequest) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        if os.environ.get("GARIM_TEST_ENGINE") == "postgres":
            if request.node.get_closest_marker("sqlite"):
                pytest.skip("looks into the database's file")
            stack.enter_context(on_postgres(request.getfixturevalue("postgres")))
        yield
