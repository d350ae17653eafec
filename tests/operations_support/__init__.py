"""What rehearsals of operations share: traffic that never stops, services replaced one by one, a stage."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Self

from garim.cli.demo.stage import Stage
from garim.cli.demo.story import Story
from garim.cli.mesh_plan import BACKEND
from garim.cli.mesh_processes import Processes, is_serving
from garim.cli.meshfolder import MeshFile, MeshFolder
from garim.sdk import GarimError, GarimStore, Member, Message, Producer, Roster, TlsPaths

READY_S = 90
_PAUSE_S = 0.01
SENT_BEFORE_MS = 3_600_000


def new_stage(root: Path) -> Stage:
    """Return a folder for one case, and for the mesh that it is played on."""
    stage = Stage(root, Story(quiet=True))
    stage.papers.mkdir(parents=True)
    return stage


def backend_tls(mesh: Path) -> TlsPaths:
    """Return the identity of a mesh's chat back end."""
    folder = mesh / "people" / f"backend-{BACKEND}"
    return TlsPaths(folder / "tls.pem", folder / "tls.key", folder / "ca.pem")


def until_serving(file: MeshFile, service: str) -> None:
    """Wait until a service's health port says that it serves."""
    end = time.monotonic() + READY_S
    while not is_serving(file.health[service]):
        assert time.monotonic() < end, f"{service} does not serve"
        time.sleep(0.1)


def stop(processes: Processes, service: str) -> None:
    """Let one service drain and end."""
    running = processes.running(service)
    assert running is not None, service
    os.kill(running.pid, signal.SIGTERM)
    end = time.monotonic() + READY_S
    while processes.running(service):
        child = processes._children.get(service)
        if child is not None:
            child.poll()
        assert time.monotonic() < end, f"{service} does not end"
        time.sleep(0.05)
    reap(processes, service)


def reap(processes: Processes, *services: str) -> None:
    """Wait for children that have been asked to end."""
    for service in services:
        child = processes._children.pop(service, None)  # nobody else waits for them
        if child is not None:
            child.wait(READY_S)


class Traffic:
    """A chat back end that stores messages until the end, and says what failed.

    Args:
        mesh: The mesh's folder.
    """

    def __init__(self, mesh: Path) -> None:
        self._file = MeshFolder(mesh).read()
        self._tls = backend_tls(mesh)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.put = 0
        self.acknowledged = 0
        self.failed: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        roster = Roster("operations:traffic", (Member("traffic:a", ("가",)), Member("traffic:b", ("나",))))
        try:
            with (
                GarimStore(self._file.addresses["messages"], mesh=self._file.mesh, tls=self._tls) as store,
                Producer(store, batch_size=50) as producer,
            ):
                while not self._done.is_set():
                    self.put += 1
                    now_ms = time.time_ns() // 1_000_000
                    producer.put(roster, Message(now_ms - SENT_BEFORE_MS, "traffic:a", "안녕"), self.put)
                    self.acknowledged = int(str(producer.acknowledged() or 0))
                    time.sleep(_PAUSE_S)
                producer.flush(READY_S)
                self.acknowledged = int(str(producer.acknowledged()))
        except GarimError as error:
            self.failed.append(error.reason)
