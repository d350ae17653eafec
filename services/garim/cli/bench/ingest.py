"""`garim bench ingest`: messages made durable a second, beside the same messages as plaintext rows."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable

from garim.api.messages.v1 import messages_pb2 as pb
from garim.cli.bench import plain
from garim.cli.bench.figures import Figure, compared, reported
from garim.cli.bench.load import BATCH, Load, PlainRow, make_load
from garim.cli.bench.mesh import BenchMesh
from garim.cli.bench.plan import Plan, at_once, timed
from garim.cli.bench.postgres import SQLITE
from garim.cli.bench.texts import texts
from garim.kit.clock import SystemClock
from garim.kit.db.place import parse_url
from garim.sdk import GarimStore, Producer
from garim.statements.refusal import Kind, RefusedError

ONE = "ingest, one caller"
TWO = "ingest, two callers"
PRODUCERS = "ingest, from the sdk's objects through two Producers"
COPY_EACH = "psycopg COPY of plaintext rows, a commit a batch"
COPY_INDEXED = "the same into a table with the index that a read needs"
COPY_TWO = "the same over two connections"
COPY_ONCE = "psycopg COPY of plaintext rows, one for all"
CORE = "SQLAlchemy Core inserts of plaintext rows"
EXECUTEMANY = "executemany of plaintext rows into SQLite (WAL, FULL)"
OTHERS = (COPY_ONCE, CORE, EXECUTEMANY)
COPY_TARGETS = {50: 1.0, 2_000: 0.5}
BYTES_TARGETS = {50: 110.0, 2_000: 220.0}


def measure(plan: Plan) -> list[Figure]:
    """Measure storing; see `Plan`."""
    now_ms = SystemClock().now_ms()
    source = texts(plan.texts)
    loads = [
        make_load(plan.messages // 2, plan.conversations, plan.members, source, now_ms, seed=seed)
        for seed in (1, 2)
    ]
    rows = [batch for pair in zip(*(load.rows() for load in loads), strict=True) for batch in pair]
    peers = _peers(plan, rows)
    values: dict[str, list[float]] = {name: [] for name in (ONE, TWO, PRODUCERS, *peers)}
    with plan.mesh() as mesh, mesh.store() as store:
        for load in loads:
            store.put_rosters(load.rosters)
        for run in range(plan.runs):
            plan.say(f"ingest, run {run + 1} of {plan.runs}")
            values[ONE].append(plan.messages / _appended(store, loads, callers=1))
            values[TWO].append(plan.messages / _appended(store, loads, callers=2))
            values[PRODUCERS].append(plan.messages / _produced(store, loads))
            for name, seconds in peers.items():
                values[name].append(plan.messages / seconds())
        memory = mesh.peak_memory("messages")
        size = _stored_bytes(mesh, plan) / (3 * plan.runs * plan.messages)
    return _figures(plan, values, size, memory)


def _figures(plan: Plan, values: dict[str, list[float]], size: float, memory: int) -> list[Figure]:
    conditions = (
        f"{plan.databases.kind}; {plan.messages:,} messages, batches of {BATCH:,} over"
        f" {plan.conversations:,} conversations of {plan.members} for each caller; mutual TLS, every batch"
        " synced, write secrets of 1 s"
    )

    def beside(name: str, peer: str, target: float | None = None) -> Figure:
        return compared(
            name, "messages/s", values[name], peer, values[peer], target=target, conditions=conditions
        )

    target = COPY_TARGETS.get(plan.conversations)
    figures = [
        beside(ONE, COPY_EACH, target),
        beside(ONE, COPY_INDEXED),
        beside(TWO, COPY_TWO, target),
        beside(PRODUCERS, COPY_TWO),
    ]
    figures += [beside(ONE, name) for name in values if name in OTHERS]
    return [
        *figures,
        reported(
            "database bytes a message",
            "bytes",
            [size],
            target=BYTES_TARGETS.get(plan.conversations),
            at_most=True,
            conditions=conditions,
        ),
        reported("peak memory of the store", "MiB", [memory / 2**20], conditions=conditions),
    ]


def _appended(store: GarimStore, loads: list[Load], *, callers: int) -> float:
    """Return the seconds that prepared batches take."""
    prepared = [load.requests() for load in loads]
    if callers == 1:
        prepared = [[request for requests in prepared for request in requests]]
    return timed(lambda: at_once(functools.partial(append_all, store), prepared))


def append_all(store: GarimStore, requests: list[pb.AppendMessagesRequest]) -> None:
    """Store prepared batches, one after the other.

    Raises:
        RefusedError: `BENCH_FAILED`, and what the store refuses.
    """
    for request in requests:
        if store.append(request).WhichOneof("result") != "accepted":
            raise RefusedError("BENCH_FAILED", "the store did not take a batch", kind=Kind.PRECONDITION)


def _produced(store: GarimStore, loads: list[Load]) -> float:
    """Return the seconds that the sdk's producers take, one for each load."""
    return timed(lambda: at_once(functools.partial(_produce, store), loads))


def _produce(store: GarimStore, load: Load) -> None:
    with Producer(store, batch_size=BATCH) as producer:
        for one in load.messages:
            producer.put(one.roster, one.message, one.position)
        producer.flush()


def _stored_bytes(mesh: BenchMesh, plan: Plan) -> int:
    if plan.databases.kind == SQLITE:
        return plain.size_of_sqlite(mesh.places.service("messages") / "database.sqlite")
    kept = json.loads(mesh.places.database("messages").read_bytes())
    return plain.size_of_postgres(plan.databases.reached(parse_url(kept["url"]).database))


def _peers(plan: Plan, rows: list[list[PlainRow]]) -> dict[str, Callable[[], float]]:
    """Return what stands beside: each returns the seconds that the same rows take."""
    server = plan.databases.create("plain")
    found: dict[str, Callable[[], float]] = {
        COPY_EACH: lambda: plain.copy(server, rows),
        COPY_INDEXED: lambda: plain.copy(server, rows, indexed=True),
        COPY_TWO: lambda: plain.copy(server, rows, connections=2),
        COPY_ONCE: lambda: plain.copy_once(server, rows),
        CORE: lambda: plain.core(server, rows),
    }
    if plan.databases.kind == SQLITE:
        found[EXECUTEMANY] = lambda: plain.executemany(plan.folder / "plain.sqlite", rows)
    return found
