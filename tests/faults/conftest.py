"""Scenarios with real processes, apart from CI: `make test-faults [ROUNDS=…] [SEED=…]`.

Each prints its seed and writes its figures to `.garim/faults/`; the table at the end shows all that ran.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faults_support.ingest import Ingest
from faults_support.mesh import FaultMesh
from faults_support.run import REPORTS, Begin, Run, seed_of
from garim.kit.db import Server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.timeout(3 * 3600))


@pytest.fixture(scope="session")
def rounds() -> int:
    """How many rounds of killed services are asked for."""
    return int(os.environ.get("ROUNDS") or 200)


@pytest.fixture
def begin(tmp_path: Path, request: pytest.FixtureRequest) -> Begin:
    """Start a mesh with its back end for a scenario."""

    @contextlib.contextmanager
    def started(
        database: Server | None = None, prepare: Callable[[FaultMesh], None] = lambda _mesh: None
    ) -> Iterator[Run]:
        name = request.node.name.removeprefix("test_")
        with (
            FaultMesh(tmp_path / "mesh", database, prepare) as mesh,
            Ingest(mesh) as ingest,
        ):
            run = Run(name, mesh, ingest, tmp_path / "delivered", seed_of(os.environ.get("SEED")))
            try:
                yield run
            finally:
                run.note()

    return started


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for path in sorted(REPORTS.glob("*.json")):
        figures = json.loads(path.read_text(encoding="utf-8"))
        terminalreporter.section(str(figures.pop("scenario")))
        for name, value in figures.items():
            terminalreporter.write_line(f"{name:>16}  {value}")
