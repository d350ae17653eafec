"""Two processes of warrants on one PostgreSQL database are one warrants; run by `make test-replicas`.

Everybody calls `localhost`, which is both: one listens on 127.0.0.1, the other on ::1.
"""

from __future__ import annotations

import datetime as dt
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from garim.api.warrants.v1 import warrants_pb2
from garim.cli import mesh_plan
from garim.cli.demo.__main__ import _import
from garim.cli.demo.chosen import choose
from garim.cli.demo.first_request import first_half
from garim.cli.demo.second_request import second_half, verify_offline, verify_the_log
from garim.cli.demo.stage import Stage
from garim.cli.demo.story import Story
from garim.cli.mesh_processes import Processes, is_serving
from garim.cli.mesh_setup import set_up
from garim.cli.meshfolder import MeshFile
from garim.cli.session import session
from garim.statements.refusal import RefusedError
from kit_support.postgres import Postgres

READY_S = 60
CALLERS = 4
# What a caller may take to find a process that is back: the longest wait between two attempts to connect.
FOUND_S = 3


@dataclass
class Replica:
    """One process of warrants.

    Attributes:
        settings: Its settings file.
        health: Address of its health port.
        log: Where its lines go.
    """

    settings: Path
    health: str
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "garim.warrants", str(self.settings)]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until = time.monotonic() + READY_S
        while not is_serving(self.health):
            assert self.process.poll() is None, self.log.read_text()[-1500:]
            assert time.monotonic() < until
            time.sleep(0.1)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(30) == 0
            self.process = None


@dataclass(frozen=True)
class TwoWarrants:
    """A mesh with two processes of warrants."""

    stage: Stage
    file: MeshFile
    replicas: tuple[Replica, Replica]


def addresses() -> tuple[dict[str, str], dict[str, str]]:
    served, health = mesh_plan.new_addresses()
    return served | {"warrants": f"localhost:{served['warrants'].rpartition(':')[2]}"}, health


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[TwoWarrants]:
    if not Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 on this machine: localhost is one address")
    stage = Stage(tmp_path_factory.mktemp("replicas"), Story(quiet=True))
    stage.papers.mkdir()
    now = dt.datetime.now(dt.UTC)
    server = postgres.server("postgres")
    file = set_up(stage.mesh, now, review_always=True, addresses=addresses, database=server)
    processes = Processes(stage.places)
    replicas = (replica(stage, file, "127.0.0.1"), replica(stage, file, "[::1]"))
    others = [service for service in file.addresses if service != "warrants"]
    try:
        for service in others:
            processes.start(service, tied=True)
        for one in replicas:
            one.start()
        processes.await_ready(file, lambda _service: None)
        yield TwoWarrants(stage, file, replicas)
    finally:
        for one in replicas:
            one.stop()
        processes.stop()
        # Nobody else waits for them.
        for child in processes._children.values():
            child.wait(30)


def replica(stage: Stage, file: MeshFile, host: str) -> Replica:
    """Write the settings of a process of warrants that listens on one of the addresses of localhost."""
    text = stage.places.settings("warrants").read_text(encoding="utf-8")
    port = file.addresses["warrants"].rpartition(":")[2]
    health = file.health["warrants"]
    if host != "127.0.0.1":
        health = f"127.0.0.1:{mesh_plan.free_ports(1)[0]}"
    text = re.sub(r'(?m)^listen = ".*"$', f'listen = "{host}:{port}"', text)
    text = re.sub(r'(?m)^health_listen = ".*"$', f'health_listen = "{health}"', text)
    path = stage.places.service("warrants") / f"{'first' if host == '127.0.0.1' else 'second'}.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return Replica(path, health, path.with_suffix(".log"))


def test_a_whole_disclosure_runs_over_both(mesh: TwoWarrants) -> None:
    stage, chosen = mesh.stage, choose(None, "", "", "")
    _import(stage, chosen)
    disclosed = first_half(stage, chosen)
    second_half(stage, chosen, disclosed)
    verify_the_log(stage)
    verify_offline(stage)
    assert (stage.summary.leaks, stage.summary.identities_unmasked) == (0, 1)
    moved = [one.log.read_text(encoding="utf-8").count('"case_moved"') for one in mesh.replicas]
    assert min(moved) > 0, "one of them did nothing"


def test_no_call_fails_while_one_after_the_other_is_restarted(mesh: TwoWarrants) -> None:
    done = threading.Event()
    answered: list[int] = []
    failed: list[str] = []

    def call() -> None:
        count = 0
        with session(mesh.stage.mesh, "", "clerk") as own:
            while not done.is_set():
                try:
                    own.warrants.ListCases(warrants_pb2.ListCasesRequest())
                except RefusedError as error:
                    failed.append(error.reason)
                else:
                    count += 1
        answered.append(count)

    callers = [threading.Thread(target=call) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    try:
        for one in mesh.replicas:
            time.sleep(FOUND_S)
            one.stop()
            one.start()
        time.sleep(FOUND_S)
    finally:
        done.set()
        for caller in callers:
            caller.join()
    assert failed == []
    assert sum(answered) > 100
