"""Every service runs from its image, as locked down as its Deployment says; run by `make images-test`.

A machine that cannot run containers skips all of it by name.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from deploy_support.containers import FIGURES, Containers, missing, running
from deploy_support.manifests import SERVICES
from garim.cli.demo.__main__ import _import
from garim.cli.demo.chosen import choose
from garim.cli.demo.first_request import first_half
from garim.cli.demo.second_request import second_half, verify_offline, verify_the_log
from garim.cli.demo.stage import Stage
from garim.cli.demo.story import Story
from garim.cli.meshfolder import MeshFolder
from garim.sdk.batches import Pending, make_batch
from garim.sdk.client import GarimStore, TlsPaths
from garim.sdk.errors import GarimError
from garim.sdk.model import Member, Message, Roster
from garim.sdk.producer import Producer

DRAIN_S = 10
MIB = 1024 * 1024
CALLERS = 10
# The store has enough at once, and asks to be called again.
BUSY = "STORE_BUSY"
BATCH = 5_000
LOAD_S = 3
# A call that begins this shortly before the stop may arrive after it.
NETWORK_S = 0.25
Told = Callable[[str], None]
each = pytest.mark.parametrize("service", SERVICES)
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("images"), Story(quiet=True))


@pytest.fixture(scope="session")
def mesh(stage: Stage) -> Iterator[Containers]:
    if lacking := missing():
        pytest.skip(lacking)
    stage.papers.mkdir()
    number = secrets.randbelow(200) + 20
    with running(stage.mesh, f"garim-{secrets.token_hex(3)}", f"10.89.{number}") as containers:
        yield containers


@pytest.fixture(scope="session")
def told(pytestconfig: pytest.Config) -> Told:
    """Takes figures, which are shown at the end."""
    return pytestconfig.stash[FIGURES].append


@each
def test_health_answers_and_the_root_cannot_be_written(mesh: Containers, service: str) -> None:
    written = mesh.python(
        service,
        "import errno\n"
        "for path in ('/x', '/etc/garim/x', '/usr/local/lib/python3.11/dist-packages/x', '/run/x'):\n"
        "    try: open(path, 'w')\n"
        "    except OSError as error: print(errno.errorcode[error.errno])\n",
    )
    assert set(written.split()) <= {"EROFS", "EACCES"}
    assert len(written.split()) == 4


@each
def test_a_container_is_nobody_and_may_nothing(mesh: Containers, service: str) -> None:
    status = mesh.python(service, "print(open('/proc/1/status').read())")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert set(fields["Uid"].split()) == {"65532"}
    for kind in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"):
        assert int(fields[kind], 16) == 0, kind
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")


@each
def test_an_image_holds_python_and_its_own_service_alone(mesh: Containers, service: str) -> None:
    found = json.loads(
        mesh.python(
            service,
            "import json, os\n"
            "tools = [n for d in ('/bin', '/sbin', '/usr/bin', '/usr/sbin', '/usr/local/bin')"
            " if os.path.isdir(d) for n in os.listdir(d)]\n"
            "own = os.listdir('/usr/local/lib/python3.11/dist-packages/garim')\n"
            "print(json.dumps([sorted(set(tools)), own]))\n",
        )
    )
    assert found[0] == ["python3.11"], "no shell, no compiler, no package manager"
    assert not set(found[1]) & ({*SERVICES, "cli", "importers", "testing"} - {service})


@each
def test_memory_is_bounded(mesh: Containers, service: str) -> None:
    limits = mesh.inspect(service)["HostConfig"]
    assert limits["Memory"] == limits["MemorySwap"] > 0
    assert limits["ReadonlyRootfs"]


@pytest.mark.parametrize("service", ["custody", "warrants"])
def test_documents_are_opened_by_confined_children_in_the_container_too(
    mesh: Containers, service: str
) -> None:
    assert '"listening"' in mesh.logs(service)
    assert "CONFINEMENT_MISSING" not in mesh.logs(service)
    told = mesh.python(
        service,
        "from garim.kit import confinement, landlock\n"
        "import os, socket\n"
        "null = os.open(os.devnull, os.O_RDWR)\n"
        "limits = confinement.Limits(1 << 28, 10, 10.0)\n"
        "size = confinement._address_space()\n"
        "enter = lambda end: confinement._confine(end, null, limits, size + limits.memory_bytes)\n"
        "print(confinement._holds(enter), landlock.close_everything())\n",
    )
    # The filter of system calls must hold; whether there is Landlock is the kernel's affair.
    assert told.split()[0] == "True"


def test_a_whole_disclosure_runs_across_the_containers(mesh: Containers, stage: Stage) -> None:
    chosen = choose(None, "", "", "")
    _import(stage, chosen)
    disclosed = first_half(stage, chosen)
    second_half(stage, chosen, disclosed)
    verify_the_log(stage)
    verify_offline(stage)
    assert stage.summary.leaks == 0
    assert stage.summary.identities_unmasked == 1


@each
def test_memory_stays_well_below_its_limit(mesh: Containers, service: str, told: Told) -> None:
    """After the disclosure: what the container used at most, page cache included."""
    peak = mesh.python(
        service,
        "import os\n"
        "for path in ('memory.peak', 'memory/memory.max_usage_in_bytes'):\n"
        "    if os.path.exists('/sys/fs/cgroup/' + path): print(open('/sys/fs/cgroup/' + path).read())\n",
    )
    limit = mesh.inspect(service)["HostConfig"]["Memory"]
    told(f"{service} used {int(peak) / MIB:.0f} of {limit / MIB:.0f} MiB")
    assert int(peak) < limit * 0.9


def test_agencies_reach_the_edge_with_a_certificate_and_not_without(mesh: Containers, tmp_path: Path) -> None:
    agency = mesh.edge.issue("agency/test", dns=(), ips=())
    (tmp_path / "agency.pem").write_bytes(agency.chain_pem() + agency.key_pem())
    context = ssl.create_default_context(cadata=mesh.edge.ca.pem)
    context.check_hostname = False

    def post() -> int:
        connection = http.client.HTTPSConnection(mesh.address("warrants"), 8443, context=context, timeout=10)
        with contextlib.closing(connection):
            connection.request("POST", "/hi1", b"<HI1Message/>", {"content-type": "application/xml"})
            return connection.getresponse().status

    with pytest.raises((ssl.SSLError, ConnectionError)):
        post()
    context.load_cert_chain(tmp_path / "agency.pem")
    assert post() == http.HTTPStatus.OK


def draining_since(mesh: Containers, service: str) -> float:
    """Return when a service that has ended began to drain, in seconds since 1970."""
    told = [json.loads(line) for line in mesh.logs(service).splitlines() if '"draining"' in line]
    return float(told[-1]["time_ms"]) / 1000


def store_of(mesh: Containers) -> GarimStore:
    backend = MeshFolder(mesh.root).person("", "backend")
    tls = TlsPaths(backend.tls.certificate, backend.tls.key, backend.tls.trust)
    return GarimStore(mesh.file.addresses["messages"], mesh=mesh.file.mesh, tls=tls)


class Call(NamedTuple):
    """One call: when it began and ended, in seconds since 1970, and the reason of its refusal."""

    began: float
    ended: float
    reason: str = ""


class Load:
    """Callers that each send batches until they are refused, and never send one again."""

    def __init__(self, mesh: Containers) -> None:
        self.calls: list[Call] = []
        self._mesh = mesh
        self._callers = [threading.Thread(target=self._call, args=(number,)) for number in range(CALLERS)]
        for caller in self._callers:
            caller.start()

    def join(self) -> None:
        for caller in self._callers:
            caller.join()

    def _call(self, number: int) -> None:
        roster = Roster(f"drain-{number}", [Member("acct-drain", ["가온"])])
        with store_of(self._mesh) as store:
            store.put_rosters([roster])
            while not (self.calls and self.calls[-1].reason):
                line = Message(int(time.time() * 1000), "acct-drain", "다 왔어")
                request = make_batch([Pending(roster, line, None)] * BATCH, secrets.token_bytes(16)).request
                began = time.time()
                try:
                    store.append(request)
                except GarimError as error:
                    if error.reason == BUSY:
                        continue
                    self.calls.append(Call(began, time.time(), error.reason))
                else:
                    self.calls.append(Call(began, time.time()))


def test_sigterm_drains_within_ten_seconds_and_no_call_under_way_fails(mesh: Containers, told: Told) -> None:
    load = Load(mesh)
    time.sleep(LOAD_S)
    took = mesh.stop("messages", DRAIN_S)
    load.join()
    since, ended = draining_since(mesh, "messages"), mesh.inspect("messages")["State"]
    mesh.start("messages")
    mesh.await_ready("messages")
    before = [call for call in load.calls if call.began < since - NETWORK_S]
    lost = [call.reason for call in before if call.reason]
    under_way = [call for call in load.calls if call.began < since < call.ended and not call.reason]
    told(
        f"messages drained in {took:.1f} s: {len(before)} calls before, {len(under_way)} under way, none lost"
    )
    assert lost == []
    assert len(before) > CALLERS, load.calls
    assert under_way, "nothing was under way: the load is too small to tell"
    assert ended["ExitCode"] == 0
    assert took < DRAIN_S


@each
def test_every_service_ends_by_itself_at_sigterm(mesh: Containers, service: str, told: Told) -> None:
    took = mesh.stop(service, DRAIN_S)
    ended = mesh.inspect(service)["State"]
    mesh.start(service)
    mesh.await_ready(service)
    told(f"{service} ended after {took:.1f} s")
    assert ended["ExitCode"] == 0
    assert took < DRAIN_S


def test_a_restart_loses_no_message_of_the_sdk(mesh: Containers, told: Told) -> None:
    """A producer goes on over a restart; every message is acknowledged in the end."""
    roster = Roster("restart", [Member("acct-restart", ["다솜"])])
    with store_of(mesh) as store, Producer(store, batch_size=50, give_up_s=60.0) as producer:
        restart = threading.Thread(target=lambda: (mesh.stop("messages", DRAIN_S), mesh.start("messages")))
        restart.start()
        number = 0
        while restart.is_alive():
            number += 1
            producer.put(roster, Message(int(time.time() * 1000), "acct-restart", f"{number}"), number)
            time.sleep(0.002)
        producer.flush(60.0)
        assert producer.acknowledged() == number
    mesh.await_ready("messages")
    told(f"{number} messages of the sdk over a restart of messages, all acknowledged")
