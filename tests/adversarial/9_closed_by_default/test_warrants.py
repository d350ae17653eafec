from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.kit.convert import Received
from garim.statements.dsse import Envelope
from garim.statements.refusal import Kind, RefusedError
from garim.testing.operator import STORE
from garim.warrants.machine import State
from garim.warrants.peers import MessagesPeer
from warrants_support.desk import CLERK, Desk


def stays_ungranted(desk: Desk) -> str:
    """Submit a first request that must not be granted, and return why."""
    with pytest.raises(RefusedError) as caught:
        desk.submit(desk.disclosure())
    for _, case in desk.tables.page(frozenset(State), None, 10):
        assert case.state is not State.GRANTED
        assert case.statement is None
    return caught.value.reason


def test_without_governance_nothing_is_judged(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> None:
        raise RefusedError("GOVERNANCE_UNAVAILABLE", "custody does not answer", kind=Kind.UNAVAILABLE)

    monkeypatch.setattr(desk.operator.governance, "current", unknown)
    assert stays_ungranted(desk) == "GOVERNANCE_UNAVAILABLE"
    with pytest.raises(RefusedError, match="GOVERNANCE_UNAVAILABLE"):
        desk.warrants.demand_ready()


def test_without_the_log_nothing_is_granted(desk: Desk) -> None:
    desk.operator.audit.misbehaviour.silent = True
    assert stays_ungranted(desk) == "LOG_UNAVAILABLE"


@pytest.mark.parametrize(
    ("wrong", "value", "reason"),
    [
        ("actor", "spiffe://test.mesh/service/messages", "LOG_ACTOR"),
        ("time_shift_ms", 200_000, "LOG_TIME"),
        ("replay", 0, "LOG_TYPE"),
    ],
)
def test_a_log_that_lies_grants_nothing(desk: Desk, wrong: str, value: Any, reason: str) -> None:
    setattr(desk.operator.audit.misbehaviour, wrong, value)
    assert stays_ungranted(desk) == reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"document": "00" * 32}, "FORECAST_WRONG"),
        ({"ticket": "00" * 32}, "FORECAST_WRONG"),
        ({"mesh": "other.mesh"}, "STATEMENT_MESH"),
        ({"expires": 1}, "STATEMENT_EXPIRED"),
        ({"store": "store-2"}, "STATEMENT_SIGNATURE"),
    ],
)
def test_a_forecast_of_something_else_counts_nothing(
    desk: Desk, changes: dict[str, Any], reason: str
) -> None:
    desk.messages.changes = changes
    assert stays_ungranted(desk) == reason


@pytest.mark.parametrize("whose", ["nobody", "warrants", "custody"])
def test_a_forecast_that_no_store_signed_counts_nothing(desk: Desk, whose: str) -> None:
    own = {"nobody": Ed25519PrivateKey.generate()}
    desk.messages.key = own.get(whose) or desk.operator.keys[whose, whose]
    assert stays_ungranted(desk) == "STATEMENT_SIGNATURE"


def test_one_store_does_not_speak_for_another(desk: Desk) -> None:
    other = Ed25519PrivateKey.generate()
    desk.operator.keys["messages", "store-2"] = other
    desk.operator.governance.advance()
    desk.messages.key = other
    desk.messages.changes = {"store": STORE}
    assert stays_ungranted(desk) == "STATEMENT_SIGNATURE"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"document": "00" * 32}, "FORECAST_WRONG"),
        ({"purpose": "read"}, "FORECAST_WRONG"),
        ({"mesh": "other.mesh"}, "STATEMENT_MESH"),
        ({"expires": 1}, "STATEMENT_EXPIRED"),
    ],
)
def test_a_ticket_for_something_else_is_not_counted_with(
    desk: Desk, changes: dict[str, Any], reason: str
) -> None:
    desk.custody.ticket_changes = changes
    assert stays_ungranted(desk) == reason
    assert desk.messages.asked == 0


def test_a_ticket_that_custody_did_not_sign_is_not_counted_with(desk: Desk) -> None:
    desk.operator.keys["custody", "custody"] = Ed25519PrivateKey.generate()
    assert stays_ungranted(desk) == "STATEMENT_SIGNATURE"
    assert desk.messages.asked == 0


@pytest.mark.parametrize("reason", ["STORE_EPOCH", "TICKET_PURPOSE", "NOBODY_KNOWN"])
def test_whatever_the_store_refuses_is_one_reason_outward(reason: str) -> None:
    class Stub:
        def ForecastScope(self, _request: object) -> object:  # noqa: N802 - the name of the RPC
            raise RefusedError(reason, "something about stored data")

    class Channels:
        def stub(self, _kind: object, _service: str) -> Stub:
            return Stub()

    peer = MessagesPeer(Channels())  # type: ignore[arg-type]
    with pytest.raises(RefusedError) as caught:
        peer.forecast(Envelope("", b"", ()))
    assert (caught.value.reason, caught.value.kind) == ("FORECAST_UNAVAILABLE", Kind.UNAVAILABLE)
    assert "stored" not in caught.value.message


def test_an_unknown_format_or_an_empty_document_is_refused(desk: Desk) -> None:
    done = desk.warrants.submit(Received("application/msword", b"%PDF", ()), CLERK)
    assert [one.reason for one in done.reasons] == ["FORMAT_UNKNOWN"]
    assert desk.reasons(b"") == ["JSON_SYNTAX"]
    assert len(desk.leaves("document-refused")) == 2


def test_a_database_that_cannot_be_written_is_an_error_and_no_answer(desk: Desk) -> None:
    other = sqlite3.connect(desk.folder / "warrants.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert stays_ungranted(desk) == "DATABASE_LOCKED"
    other.execute("ROLLBACK")
    other.close()
    assert desk.leaves("document-refused") == []
    assert desk.open_case(desk.disclosure()).state is State.GRANTED
