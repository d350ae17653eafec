"""`garim bench members`: what a message costs in a group of 200 beside a conversation of two."""

from __future__ import annotations

from garim.cli.bench.figures import Figure, compared
from garim.cli.bench.ingest import append_all
from garim.cli.bench.load import BATCH, Load, make_load
from garim.cli.bench.plan import Plan, timed
from garim.cli.bench.texts import texts
from garim.kit.clock import SystemClock
from garim.sdk import GarimStore

FEW, MANY = 2, 200
MOST_COST = 1.2


def measure(plan: Plan) -> list[Figure]:
    """Measure storing with rosters that the store has not seen yet; see `Plan`."""
    now_ms = SystemClock().now_ms()
    source = texts(plan.texts)
    rates: dict[int, list[float]] = {FEW: [], MANY: []}
    with plan.mesh() as mesh, mesh.store() as store:
        for run in range(plan.runs):
            plan.say(f"members, run {run + 1} of {plan.runs}")
            for members, values in rates.items():
                load = make_load(
                    plan.messages, plan.conversations, members, source, now_ms, seed=run * 1_000 + members
                )
                values.append(plan.messages / _stored(store, load))
    return [
        compared(
            f"ingest, conversations of {MANY}",
            "messages/s",
            rates[MANY],
            f"ingest, conversations of {FEW}",
            rates[FEW],
            target=1 / MOST_COST,
            conditions=(
                f"{plan.databases.kind}; {plan.messages:,} messages and their rosters, one caller, batches of"
                f" {BATCH:,} over {plan.conversations:,} conversations; mutual TLS, every batch synced"
            ),
        )
    ]


def _stored(store: GarimStore, load: Load) -> float:
    requests = load.requests()

    def work() -> None:
        store.put_rosters(load.rosters)
        append_all(store, requests)

    return timed(work)
