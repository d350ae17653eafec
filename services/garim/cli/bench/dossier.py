"""`garim bench dossier`: stored messages made into a package, beside their bare scan by datafog."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from importlib import resources
from itertools import islice

from garim.cli.bench.figures import Figure, compared, reported
from garim.cli.bench.ingest import append_all
from garim.cli.bench.load import SUBJECT, make_load
from garim.cli.bench.mesh import BenchMesh
from garim.cli.bench.peers import peer_environment
from garim.cli.bench.plan import Plan, timed
from garim.cli.bench.texts import texts
from garim.cli.bench.watch import Taken, Watch
from garim.cli.dossier_build import build
from garim.cli.session import session
from garim.kit.clock import SystemClock
from garim.statements.refusal import Kind, RefusedError

PART = 50_000
"""So many messages are made at a time: the bench, too, holds no list of all."""
SCANNED = 100_000
"""So many texts the peer scans in each run."""
TARGET = 30_000.0
MEMORY_TARGET_MIB = 400.0
GROWTH_TARGET = 1.1
OPEN_MEMORY_TARGET_MIB = 1024.0
FEW = 10
"""Memory at a tenth of the messages stands beside memory at all of them."""
_PEER = "datafog's scan alone of the same texts (Rust engine)"


def measure(plan: Plan) -> list[Figure]:
    """Measure dossiers by the policy of rosters and identifiers, then one with open names; see `Plan`."""
    programs = peer_environment("datafog", plan.folder.parent / "environments")
    speeds: list[float] = []
    peers: list[float] = []
    for run in range(plan.runs):
        plan.say(f"dossier, run {run + 1} of {plan.runs}")
        speed, taken = _made(plan, plan.messages, "roster+identifiers")
        speeds.append(speed)
        peers.append(_datafog(plan, programs))
    _, small = _made(plan, max(plan.messages // FEW, 1), "roster+identifiers")
    open_messages = max(plan.messages // FEW, 1)
    open_speed, open_taken = _made(plan, open_messages, "all-persons")
    conditions = (
        f"{plan.databases.kind}; {plan.messages:,} messages in {plan.conversations:,} conversations of"
        f" {plan.members}; read, keys released, masked, scanned, packed, encrypted, closed; mutual TLS, fsync"
    )
    head = "dossier, policy roster+identifiers"
    figures = [
        compared(f"{head}, end to end", "messages/s", speeds, _PEER, peers, conditions=conditions),
        reported(f"{head}, end to end", "messages/s", speeds, target=TARGET, conditions=conditions),
    ]
    for service, one in taken.items():
        figures += _memory(head, service, one, small[service], conditions)
        cost = one.seconds / plan.messages * 1e6
        figures.append(
            reported(f"{head}: processor time of {service}", "us a message", [cost], conditions=conditions)
        )
    opened = f"{open_messages:,} messages, people in no roster masked too; else as above"
    redaction = open_taken["redaction"]
    return [
        *figures,
        reported("dossier with open names, end to end", "messages/s", [open_speed], conditions=opened),
        reported(
            "dossier with open names: peak memory of redaction with its children, shared pages once",
            "MiB",
            [redaction.proportional / 2**20],
            target=OPEN_MEMORY_TARGET_MIB,
            at_most=True,
            conditions=opened,
        ),
    ]


def _memory(head: str, service: str, large: Taken, small: Taken, conditions: str) -> list[Figure]:
    return [
        reported(
            f"{head}: peak memory of {service} with its children, resident",
            "MiB",
            [large.resident / 2**20],
            target=MEMORY_TARGET_MIB,
            at_most=True,
            conditions=conditions,
        ),
        compared(
            f"{head}: peak memory of {service}, shared pages once",
            "MiB",
            [large.proportional / 2**20],
            "the same at a tenth of the messages",
            [small.proportional / 2**20],
            target=GROWTH_TARGET,
            at_most=True,
            conditions=conditions,
        ),
    ]


def _made(plan: Plan, messages: int, names: str) -> tuple[float, dict[str, Taken]]:
    """Return messages a second of one dossier, and what the services took for it."""
    with plan.mesh(write_secret_s=10, names=names) as mesh:
        period = stored(plan, mesh, messages)
        case = mesh.granted([("account", SUBJECT)], period)
        made: list[int] = []
        with session(mesh.root, "", "clerk") as clerk, Watch(mesh) as watch:
            seconds = timed(lambda: made.append(build(clerk, case, lambda *_: None).figures.messages))
    if made != [messages]:
        raise RefusedError(
            "BENCH_FAILED", "the dossier holds another number of messages", kind=Kind.DATA_LOSS
        )
    return messages / seconds, dict(watch.taken)


def stored(plan: Plan, mesh: BenchMesh, messages: int) -> tuple[int, int]:
    """Store the messages; returns their period."""
    source = texts(plan.texts)
    start_ms = SystemClock().now_ms() - messages - 60_000
    known = False
    with mesh.store() as store:
        for first in range(0, messages, PART):
            count = min(PART, messages - first)
            now_ms = start_ms + first + count + 60_000
            load = make_load(count, plan.conversations, plan.members, source, now_ms)
            if not known:
                store.put_rosters(load.rosters)
                known = True
            append_all(store, load.requests())
    return start_ms, start_ms + messages


def _datafog(plan: Plan, programs: object) -> float:
    """Return texts a second that datafog scans, one after the other."""
    source: Iterator[str] = texts(plan.texts)
    lines = list(islice(source, min(plan.messages, SCANNED)))
    script = resources.files("garim.cli.bench") / "datafog_texts.py"
    with resources.as_file(script) as path:
        done = subprocess.run(
            [f"{programs}/python", str(path)],
            input=json.dumps(lines),
            capture_output=True,
            text=True,
            check=False,
            env={"DO_NOT_TRACK": "1", "DATAFOG_NO_TELEMETRY": "1"},
        )
    if done.returncode != 0:
        raise RefusedError("BENCH_PEER", "datafog ended with an error", kind=Kind.UNAVAILABLE)
    return len(lines) / float(json.loads(done.stdout)["seconds"])
