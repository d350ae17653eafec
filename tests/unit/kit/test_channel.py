from __future__ import annotations

from pathlib import Path

import pytest

from garim.kit.channel import Peers, _Connection
from garim.kit.clock import SystemClock
from garim.kit.retries import Retries
from garim.kit.telemetry import Telemetry
from garim.kit.tls import Rotation
from garim.statements.refusal import RefusedError
from kit_support.authority import Authority
from kit_support.echo import EchoStub


class Channel:
    closed = 0

    def close(self) -> None:
        self.closed += 1


def test_a_retired_connection_is_closed_with_its_last_call() -> None:
    channel = Channel()
    connection = _Connection(channel)  # type: ignore[arg-type]
    connection.take()
    connection.take()
    connection.give_back()
    connection.retire()
    assert channel.closed == 0
    connection.give_back()
    assert channel.closed == 1


def test_a_retired_connection_without_calls_is_closed_at_once() -> None:
    channel = Channel()
    _Connection(channel).retire()  # type: ignore[arg-type]
    assert channel.closed == 1


def test_a_peer_without_address_is_named(tmp_path: Path) -> None:
    clock = SystemClock()
    authority = Authority(tmp_path / "pki")
    telemetry = Telemetry("custody", clock, strict=True)
    rotation = Rotation(authority.service("custody"), authority.mesh, clock, telemetry)
    peers = Peers(rotation, {"warrants": "127.0.0.1:1"}, clock=clock, telemetry=telemetry)
    with pytest.raises(RefusedError, match="PEER_ADDRESS_MISSING") as caught:
        peers.stub(EchoStub, "audit")
    assert caught.value.field == "peers.audit"


def test_waits_double_up_to_a_limit_and_never_outlast_the_deadline() -> None:
    waits: list[float] = []
    retries = Retries(sleep=waits.append, jitter=lambda: 1.0)
    for attempt in range(1, 8):
        retries.wait(attempt, longest_s=1.5)
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.5, 1.5, 1.5]


def test_successes_win_the_budget_back() -> None:
    retries = Retries(tokens=4)
    assert [retries.failed() for _ in range(3)] == [True, False, False]
    for _ in range(30):
        retries.succeeded()
    assert retries.failed()
