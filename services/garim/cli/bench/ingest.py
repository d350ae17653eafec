"""`garim bench ingest`: messages made durable a second, beside the same messages as plaintext rows."""

from __future__ import annotations

import functools
from collections.abc import Callable

from garim.api.messages.v1 import messages_pb2 as pb
from garim.cli.bench import plain
from garim.cli.bench.figures import Figure, compared, reported
from garim.cli.bench.load import BATCH, Load, PlainRow, make_load
from garim.cli.bench.mesh import BenchMesh
from garim.cli.bench.plan import Plan, timed
from garim.cli.bench.postgres import SQLITE
from garim.cli.bench.texts import texts
from garim.kit.clock import SystemClock
from garim.sdk import GarimStore, Producer
from garim.statements.refusal import Kind, RefusedError

COPY_EACH = "psycopg COPY of plaintext rows, a commit a batch"
COPY_TARGETS = {50: 1.0, 2_000: 0.5}
BYTES_TARGETS = {50: 110.0, 2_000: 220.0}


def measure(plan: Plan) -> list[Figure]:
    """Measure storing; see `Plan`."""
    load = make_load(
        plan.messages, plan.conversations, plan.members, texts(plan.texts), SystemClock().now_ms()
    )
    rows = load.rows()
    peers = _peers(plan, rows)
    own: dict[str, list[float]] = {"prepared": [], "producer": []}
    others: dict[str, list[float]] = {name: [] for name in peers}
    with plan.mesh() as mesh, mesh.store() as store:
        store.put_rosters(load.rosters)
        for run in range(plan.runs):
            plan.say(f"ingest, run {run + 1} of {plan.runs}")
            requests = load.requests()
            own["prepared"].append(plan.messages / timed(functools.partial(append_all, store, requests)))
            own["producer"].append(plan.messages / timed(lambda: _produce(store, load)))
            for name, work in peers.items():
                others[name].append(plan.messages / work())
        memory = mesh.peak_memory("messages")
        size = _stored_bytes(mesh, plan) / (2 * plan.runs * plan.messages)
    return _figures(plan, own, others, size, memory)


def _figures(
    plan: Plan, own: dict[str, list[float]], others: dict[str, list[float]], size: float, memory: int
) -> list[Figure]:
    conditions = (
        f"{plan.databases.kind}; {plan.messages:,} messages, batches of {BATCH:,} over"
        f" {plan.conversations:,} conversations of {plan.members}; mutual TLS, every batch synced,"
        " write secrets of 1 s"
    )
    figures = [
        compared(
            "ingest",
            "messages/s",
            own["prepared"],
            name,
            values,
            target=COPY_TARGETS.get(plan.conversations) if name == COPY_EACH else None,
            conditions=conditions,
        )
        for name, values in others.items()
    ]
    return [
        *figures,
        compared(
            "ingest, from the sdk's objects through one Producer",
            "messages/s",
            own["producer"],
            COPY_EACH,
            others[COPY_EACH],
            conditions=conditions,
        ),
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


def append_all(store: GarimStore, requests: list[pb.AppendMessagesRequest]) -> None:
    """Store prepared batches, one after the other.

    Raises:
        RefusedError: `BENCH_FAILED`, and what the store refuses.
    """
    for request in requests:
        if store.append(request).WhichOneof("result") != "accepted":
            raise RefusedError("BENCH_FAILED", "the store did not take a batch", kind=Kind.PRECONDITION)


def _produce(store: GarimStore, load: Load) -> None:
    with Producer(store, batch_size=BATCH) as producer:
        for one in load.messages:
            producer.put(one.roster, one.message, one.position)
        producer.flush()


def _stored_bytes(mesh: BenchMesh, plan: Plan) -> int:
    if plan.databases.kind == SQLITE:
        return plain.size_of_sqlite(mesh.places.service("messages") / "database.sqlite")
    return plain.size_of_postgres(plan.databases.url_of("messages"))


def _peers(plan: Plan, rows: list[list[PlainRow]]) -> dict[str, Callable[[], float]]:
    """Return what stands beside: each returns the seconds that the same rows take."""
    url = plan.databases.create("plain")
    found: dict[str, Callable[[], float]] = {
        COPY_EACH: lambda: plain.copy(url, rows),
        "the same into a table with the index that a read needs": lambda: plain.copy(url, rows, indexed=True),
        "psycopg COPY of plaintext rows, one for all": lambda: plain.copy_once(url, rows),
        "SQLAlchemy Core inserts of plaintext rows": lambda: plain.core(url, rows),
    }
    if plan.databases.kind == SQLITE:
        path = plan.folder / "plain.sqlite"
        found["executemany of plaintext rows into SQLite (WAL, FULL)"] = lambda: plain.executemany(path, rows)
    return found
