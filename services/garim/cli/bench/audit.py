"""`garim bench audit`: entries appended and proven a second, beside pymerkle on SQLite."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path

from garim.api.audit.v1 import audit_pb2
from garim.api.audit.v1.audit_pb2_grpc import AuditLogServiceStub
from garim.cli.bench.figures import Figure, compared, reported
from garim.cli.bench.peers import peer_environment
from garim.cli.bench.plan import Plan, timed
from garim.kit.channel import Peers
from garim.kit.clock import SystemClock
from garim.statements.refusal import Kind, RefusedError

ENTRIES = 2_000
PEER_ENTRIES = 500
OPEN_S = 60.0
_POLL_S = 0.2
CALLERS = (1, 8, 16)
TARGETS = {8: 1_000.0, 16: 2_000.0}
_PEER = "pymerkle, append and prove, SQLite, one process, no network"


def measure(plan: Plan) -> list[Figure]:
    """Measure appending; see `Plan`."""
    programs = peer_environment("pymerkle", plan.folder.parent / "environments")
    own: dict[int, list[float]] = {callers: [] for callers in CALLERS}
    peer: list[float] = []
    with plan.mesh() as mesh, mesh.peers_of("warrants") as peers:
        for run in range(plan.runs):
            plan.say(f"audit, run {run + 1} of {plan.runs}")
            for callers, found in own.items():
                found.append(_appended(peers, callers))
            peer.append(_pymerkle(programs, plan.folder / f"pymerkle-{run}.sqlite"))
    conditions = (
        f"{plan.databases.kind}; one entry a call, each durable and proven when answered; mutual TLS, the"
        " callers are threads of one process"
    )
    figures = []
    for callers, values in own.items():
        name = f"audit append with proof, {callers} callers"
        target = TARGETS.get(callers)
        figures.append(reported(name, "entries/s", values, target=target, conditions=conditions))
        figures.append(compared(name, "entries/s", values, _PEER, peer, conditions=conditions))
    return figures


def _appended(peers: Peers, callers: int) -> float:
    stub, clock = peers.stub(AuditLogServiceStub, "audit"), SystemClock()
    count = ENTRIES if callers > 1 else ENTRIES // 4

    def append(_number: int) -> None:
        entry = audit_pb2.AppendEntryRequest(
            type="bench", commitment=secrets.token_bytes(32), time_ms=clock.now_ms()
        )
        stub.AppendEntry(entry)

    _await_open(append)
    with ThreadPoolExecutor(callers) as pool:
        return count / timed(lambda: list(pool.map(append, range(count))))


def _await_open(append: Callable[[int], None]) -> None:
    """Append until the log takes entries: after its start it waits for custody and warrants."""
    ends = time.monotonic() + OPEN_S
    while True:
        try:
            append(0)
        except RefusedError as refusal:
            if refusal.reason != "LOG_WAITING_FOR_PINS" or time.monotonic() > ends:
                raise
            time.sleep(_POLL_S)
        else:
            return


def _pymerkle(programs: Path, path: Path) -> float:
    with resources.as_file(resources.files("garim.cli.bench") / "pymerkle_appends.py") as script:
        done = subprocess.run(
            [str(programs / "python"), str(script), str(path), str(PEER_ENTRIES)],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise RefusedError("BENCH_PEER", "pymerkle ended with an error", kind=Kind.UNAVAILABLE)
    return PEER_ENTRIES / float(json.loads(done.stdout)["seconds"])
