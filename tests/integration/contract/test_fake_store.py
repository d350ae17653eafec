"""The store that other teams test with keeps the contract of the real one, and misbehaves on demand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from garim.sdk import GarimStore, Member, Message, Producer, Roster
from garim.testing.contract.__main__ import now
from garim.testing.contract.calls import Callers
from garim.testing.contract.identities import ROLES, identities_in
from garim.testing.contract.running import run
from garim.testing.store import ServedStore

ROOM = Roster("room-17", [Member("acct-1", names=["다온"]), Member("acct-2", names=["가람"])])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedStore]:
    with ServedStore(tmp_path_factory.mktemp("fake")) as started:
        yield started


def _message(text: str) -> Message:
    return Message(time.time_ns() // 1_000_000, "acct-1", text)


def _produce(served: ServedStore, *texts: str) -> None:
    tls = served.identity()
    with GarimStore(served.address, mesh=served.mesh, tls=tls) as store, Producer(store) as producer:
        for text in texts:
            producer.put(ROOM, _message(text))


def test_the_fake_store_keeps_the_contract(served: ServedStore) -> None:
    for role in ROLES:
        path = {"backend": "backend/chat"}.get(role, role if role.startswith("service") else f"{role}/ga-on")
        tls = served.identity(path)
    root = Path(tls.certificate).parents[1]
    with Callers({"messages": served.address}, identities_in(root)) as callers:
        results = list(run(callers, now()))
    assert [one for one in results if one.problem] == []
    assert len(results) > 60


def test_what_a_producer_puts_can_be_seen(served: ServedStore) -> None:
    _produce(served, "하나", "둘")
    assert [one.text for one in served.store.messages("room-17")][-2:] == ["하나", "둘"]


def test_refusals_and_lost_answers_on_demand_store_nothing_twice(served: ServedStore) -> None:
    served.store.begin_epoch()
    served.store.refuse_next("STORE_BUSY", "STORE_EPOCH")
    served.store.lose_answers(1)
    before = len(served.store.messages("room-17"))
    _produce(served, "셋")
    assert [one.text for one in served.store.messages("room-17")][before:] == ["셋"]
    assert served.store.calls["AppendMessages"] >= 3
