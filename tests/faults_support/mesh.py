"""A mesh of real processes that a supervisor starts again whenever one ends, as Kubernetes would."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import psycopg

from garim.cli.mesh_processes import Processes, is_serving
from garim.cli.meshfolder import SERVICES
from garim.kit.db import Server
from mesh_support.live import LiveMesh, until

START_S = 120.0
_LOOK_S = 0.05
_WRAPPER = """#!/bin/sh
# Runs a service's interpreter under what the scenario has put beside the service's settings.
for settings; do :; done
environment="${settings%/*}/environment"
if [ -f "$environment" ]; then . "$environment"; fi
exec "@PYTHON@" "$@"
"""


class FaultMesh(LiveMesh):
    """Five processes under a supervisor.

    Args:
        root: A new folder.
        database: PostgreSQL server for the tables; files without.
        prepare: What happens between the set-up and the first start.

    Attributes:
        exits: How often each service has ended and was started again.
    """

    def __init__(
        self,
        root: Path,
        database: Server | None = None,
        prepare: Callable[[FaultMesh], None] = lambda _mesh: None,
    ) -> None:
        self._prepare = prepare
        self._resting = threading.Event()
        self._ended = threading.Event()
        self.exits: Counter[str] = Counter()
        self._supervisor = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        super().__init__(root, database=database)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._resting.set()
        for service in SERVICES:
            with contextlib.suppress(AssertionError, ProcessLookupError):
                os.kill(self.pid(service), signal.SIGCONT)
        super().__exit__(*error)
        self._ended.set()
        self._supervisor.join()

    def up(self) -> None:
        """Start everything under the supervisor and wait until all serve."""
        self._prepare(self)
        wrapper = self.root / "interpreter"
        wrapper.write_text(_WRAPPER.replace("@PYTHON@", sys.executable))
        wrapper.chmod(0o700)
        self.processes = Processes(self.places, python=str(wrapper))
        self._supervisor.start()
        self.await_serving(*SERVICES)

    def await_serving(self, *services: str) -> None:
        """Wait until services say that they serve."""
        until(lambda: all(is_serving(self.file.health[one]) for one in services), START_S)

    def strike(self, service: str) -> None:
        """End a service without any warning; the supervisor starts it again."""
        until(lambda: self.processes.running(service) is not None, START_S)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid(service), signal.SIGKILL)

    @contextlib.contextmanager
    def stopped(self, service: str) -> Iterator[None]:
        """Let a service stand still for a while: it keeps its connections, and answers nobody."""
        pid = self.pid(service)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def surround(self, service: str, **environment: str) -> None:
        """Choose what a service finds in its environment from its next start on."""
        lines = [f"export {name}='{value}'\n" for name, value in environment.items()]
        (self.places.service(service) / "environment").write_text("".join(lines))

    def rows(self, service: str, sql: str) -> list[tuple[Any, ...]]:
        """Read a service's tables, wherever they lie."""
        place = self.places.database(service)
        if not place.exists():
            path = self.places.service(service) / "database.sqlite"
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as files:
                return files.execute(sql).fetchall()
        with psycopg.connect(json.loads(place.read_bytes())["url"]) as server:
            return server.execute(sql).fetchall()

    def _supervise(self) -> None:
        # One thread starts all: a tied process ends with the thread that started it.
        while not self._ended.is_set():
            time.sleep(_LOOK_S)
            for service in SERVICES:
                child = self.processes._children.get(service)
                if child is not None and child.poll() is None:
                    continue
                if self._resting.is_set():
                    continue
                if child is not None:
                    self.exits[service] += 1
                self.processes.start(service, tied=True)
