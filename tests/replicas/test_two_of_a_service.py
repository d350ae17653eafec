"""Two processes of warrants and two of messages, each on one PostgreSQL database; by `make test-replicas`.

Everybody calls `localhost`, which is both: one listens on 127.0.0.1, the other on ::1.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

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
from garim.cli.meshfolder import MeshFile, MeshFolder
from garim.cli.session import session
from garim.sdk.client import GarimStore, TlsPaths
from garim.sdk.errors import GarimError
from garim.sdk.model import Member, Message, Roster
from garim.sdk.producer import Producer
from garim.statements.refusal import RefusedError
from kit_support.postgres import Postgres

READY_S = 60
DOUBLED = ("messages", "warrants")
# What a caller may take to find a process that is back: the longest wait between two attempts to connect.
FOUND_S = 3
Call = Callable[[], object]


@dataclass
class Replica:
    """One process of a service.

    Attributes:
        service: Its name.
        settings: Its settings file.
        health: Address of its health port.
        log: Where its lines go.
    """

    service: str
    settings: Path
    health: str
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", f"garim.{self.service}", str(self.settings)]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def await_ready(self) -> None:
        assert self.process is not None
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
class Mesh:
    """A mesh in which some services have two processes."""

    stage: Stage
    file: MeshFile
    replicas: dict[str, tuple[Replica, Replica]]


def addresses() -> tuple[dict[str, str], dict[str, str]]:
    served, health = mesh_plan.new_addresses()
    return served | {one: f"localhost:{served[one].rpartition(':')[2]}" for one in DOUBLED}, health


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[Mesh]:
    if not Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 on this machine: localhost is one address")
    stage = Stage(tmp_path_factory.mktemp("replicas"), Story(quiet=True))
    stage.papers.mkdir()
    now = dt.datetime.now(dt.UTC)
    file = set_up(
        stage.mesh, now, review_always=True, addresses=addresses, database=postgres.server("postgres")
    )
    processes = Processes(stage.places)
    replicas = {
        one: (replica(stage, file, one, "127.0.0.1"), replica(stage, file, one, "[::1]")) for one in DOUBLED
    }
    try:
        for service in file.addresses.keys() - replicas.keys():
            processes.start(service, tied=True)
        for one in itertools.chain(*replicas.values()):
            one.start()
        for one in itertools.chain(*replicas.values()):
            one.await_ready()
        processes.await_ready(file, lambda _service: None)
        yield Mesh(stage, file, replicas)
    finally:
        for one in itertools.chain(*replicas.values()):
            one.stop()
        processes.stop()
        # Nobody else waits for them.
        for child in processes._children.values():
            child.wait(30)


def replica(stage: Stage, file: MeshFile, service: str, host: str) -> Replica:
    """Write the settings of a process that listens on one of the addresses of localhost."""
    text = stage.places.settings(service).read_text(encoding="utf-8")
    port, health = file.addresses[service].rpartition(":")[2], file.health[service]
    if host != "127.0.0.1":
        health = f"127.0.0.1:{mesh_plan.free_ports(1)[0]}"
    text = re.sub(r'(?m)^listen = ".*"$', f'listen = "{host}:{port}"', text)
    text = re.sub(r'(?m)^health_listen = ".*"$', f'health_listen = "{health}"', text)
    path = stage.places.service(service) / f"{'first' if host == '127.0.0.1' else 'second'}.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return Replica(service, path, health, path.with_suffix(".log"))


def test_a_whole_disclosure_runs_over_both(mesh: Mesh, postgres: Postgres) -> None:
    stage, chosen = mesh.stage, choose(None, "", "", "")
    _import(stage, chosen)
    # Each process has a chain of write secrets of its own.
    place = json.loads(stage.places.database("messages").read_bytes())
    with postgres.admin(place["url"].rpartition("/")[2]) as connection:
        row = connection.execute("SELECT count(DISTINCT writer) FROM write_secrets").fetchone()
    assert row == (2,), "one of the stores stored nothing"
    disclosed = first_half(stage, chosen)
    second_half(stage, chosen, disclosed)
    verify_the_log(stage)
    verify_offline(stage)
    assert (stage.summary.leaks, stage.summary.identities_unmasked) == (0, 1)
    moved = [one.log.read_text(encoding="utf-8").count('"case_moved"') for one in mesh.replicas["warrants"]]
    assert min(moved) > 0, "one of the two did nothing"


class Callers:
    """Threads that each call over and over until the end.

    Args:
        count: How many.
        caller: Makes a caller's connection, and then each of its calls.
    """

    def __init__(self, count: int, caller: Callable[[int], contextlib.AbstractContextManager[Call]]) -> None:
        self.answered = 0
        self.failed: list[str] = []
        self._done = threading.Event()
        self._caller = caller
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        with self._caller(number) as call:
            while not self._done.is_set():
                try:
                    call()
                except (RefusedError, GarimError) as error:
                    self.failed.append(error.reason)
                else:
                    self.answered += 1


def restart_in_turn(replicas: tuple[Replica, Replica]) -> None:
    for one in replicas:
        time.sleep(FOUND_S)
        one.stop()
        one.start()
        one.await_ready()
    time.sleep(FOUND_S)


def test_no_call_of_warrants_fails_while_one_after_the_other_is_restarted(mesh: Mesh) -> None:
    @contextlib.contextmanager
    def caller(_number: int) -> Iterator[Call]:
        with session(mesh.stage.mesh, "", "clerk") as own:
            yield lambda: own.warrants.ListCases(warrants_pb2.ListCasesRequest())

    with Callers(4, caller) as callers:
        restart_in_turn(mesh.replicas["warrants"])
    assert callers.failed == []
    assert callers.answered > 100


def test_no_message_is_lost_while_one_store_after_the_other_is_restarted(mesh: Mesh) -> None:
    backend = MeshFolder(mesh.stage.mesh).person("", "backend")
    tls = TlsPaths(backend.tls.certificate, backend.tls.key, backend.tls.trust)
    sent: dict[int, int] = {}
    acknowledged: dict[int, object] = {}

    @contextlib.contextmanager
    def caller(number: int) -> Iterator[Call]:
        roster = Roster(f"restart-{number}", [Member("acct-restart", ["다솜"])])
        with (
            GarimStore(mesh.file.addresses["messages"], mesh=mesh.file.mesh, tls=tls) as store,
            Producer(store, batch_size=50, give_up_s=60.0) as producer,
        ):

            def put() -> None:
                sent[number] = sent.get(number, 0) + 1
                producer.put(
                    roster, Message(int(time.time() * 1000), "acct-restart", "다 왔어"), sent[number]
                )
                time.sleep(0.001)

            yield put
            producer.flush(60.0)
            acknowledged[number] = producer.acknowledged()

    with Callers(4, caller) as callers:
        restart_in_turn(mesh.replicas["messages"])
    assert callers.failed == []
    assert acknowledged == sent
    assert callers.answered > 1_000
