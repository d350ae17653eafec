from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable

import pytest

from garim.kit.ledger import Flusher, RefusedCalls
from garim.kit.refusals import Refusal
from garim.kit.telemetry import Telemetry
from garim.statements import strict_json
from garim.statements.refusal import Kind, RefusedError
from garim.translog.leaf import commitment, parse_leaf
from ledger_support.mesh import CUSTODY, LedgerMesh


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until, "it did not happen within ten seconds"
        time.sleep(0.01)


def kinds(mesh: LedgerMesh) -> list[str]:
    return [parse_leaf(leaf).type for leaf in mesh.audit.leaves]


def test_what_acts_at_once_is_logged_when_the_log_answers_again(mesh: LedgerMesh) -> None:
    mesh.audit.misbehaviour.silent = True
    mesh.custody.later("freeze", b"freeze", key="1")
    mesh.custody.later("denial", b"denial", key="1", magnitudes={"custodians": 1})
    with pytest.raises(RefusedError) as refused:
        mesh.custody.flush()
    assert refused.value.reason == "LOG_UNAVAILABLE"
    assert mesh.callers["custody"].calls.count("AppendEntry") == 2, "genesis, and one try of the first"
    mesh.audit.misbehaviour.silent = False
    restarted = mesh.open("custody")
    assert restarted.flush() == 2
    assert kinds(mesh) == ["genesis", "freeze", "denial"]
    assert restarted.flush() == 0


def test_it_is_logged_once_however_late(mesh: LedgerMesh) -> None:
    mesh.audit.misbehaviour.silent_after_append = True
    mesh.custody.later("freeze", b"freeze", key="1", sealed=lambda body, _salt: b"sealed " + body)
    with pytest.raises(RefusedError):
        mesh.custody.flush()
    mesh.audit.misbehaviour.silent_after_append = False
    mesh.clock.advance(26 * 3_600_000)
    mesh.custody.later("freeze", b"freeze", key="1")
    assert mesh.custody.flush() == 1
    assert kinds(mesh) == ["genesis", "freeze"]


def test_it_is_logged_with_the_time_at_which_the_log_heard_of_it(mesh: LedgerMesh) -> None:
    mesh.custody.later("freeze", b"freeze", key="1")
    mesh.clock.advance(26 * 3_600_000)
    assert mesh.custody.flush() == 1
    assert parse_leaf(mesh.audit.leaves[1]).time_ms == mesh.clock.now_ms()


@pytest.mark.parametrize("shift_ms", [-120_000, 120_000])
def test_a_time_before_it_happened_or_in_the_future_does_not_count(mesh: LedgerMesh, shift_ms: int) -> None:
    mesh.audit.misbehaviour.time_shift_ms = shift_ms
    mesh.custody.later("freeze", b"freeze", key="1")
    with pytest.raises(RefusedError) as refused:
        mesh.custody.flush()
    assert (refused.value.reason, refused.value.kind) == ("LOG_TIME", Kind.UNAVAILABLE)


def test_an_intent_lives_and_dies_with_the_transaction_of_its_action(mesh: LedgerMesh) -> None:
    database = mesh.databases["custody"]
    with pytest.raises(ZeroDivisionError), database.writing() as connection:  # noqa: PT012 - undone by it
        mesh.custody.later("freeze", b"undone", key="1", within=connection)
        raise ZeroDivisionError
    assert mesh.custody.flush() == 0
    with database.writing() as connection:
        mesh.custody.later("freeze", b"done", key="1", within=connection)
    assert mesh.custody.flush() == 1


def test_the_same_key_with_another_body_is_refused(mesh: LedgerMesh) -> None:
    mesh.custody.later("freeze", b"one", key="1")
    with pytest.raises(RefusedError) as refused:
        mesh.custody.later("freeze", b"other", key="1")
    assert refused.value.reason == "LOG_KEY_REUSED"


def test_more_than_one_batch_is_flushed(mesh: LedgerMesh) -> None:
    for number in range(230):
        mesh.custody.later("denial", b"%d" % number, key=str(number))
    assert mesh.custody.flush() == 230
    assert len(mesh.audit.leaves) == 231


@pytest.mark.parametrize(
    ("wrong", "value", "otherwise", "reason"),
    [("magnitudes", {"n": 1}, None, "LOG_LEAF"), ("time_shift_ms", -200_000, 0, "LOG_TIME")],
)
def test_one_entry_that_the_log_spoils_does_not_hold_up_the_others(
    mesh: LedgerMesh, wrong: str, value: object, otherwise: object, reason: str
) -> None:
    def spoil_denials(kind: str) -> None:
        setattr(mesh.audit.misbehaviour, wrong, value if kind == "denial" else otherwise)

    mesh.audit.before_append = spoil_denials
    mesh.custody.later("denial", b"denial", key="1")
    mesh.custody.later("freeze", b"freeze", key="1")
    with pytest.raises(RefusedError) as refused:
        mesh.custody.flush()
    assert refused.value.reason == reason
    assert kinds(mesh) == ["genesis", "denial", "freeze"]
    with mesh.databases["custody"].reading() as connection:
        query = "SELECT kind FROM ledger_intents WHERE proof IS NULL"
        assert connection.exec_driver_sql(query).scalars().all() == ["denial"]


def test_a_refused_call_is_logged_without_saying_who_in_clear(mesh: LedgerMesh) -> None:
    sink = RefusedCalls(mesh.custody, mesh.clock, bytes)
    caller = "spiffe://test.mesh/person/clerk/na-rae"
    sink(Refusal("/garim.api.custody.v1.CustodyService/Thaw", caller, "ACCESS_DENIED", Kind.FORBIDDEN, 7))
    assert mesh.custody.flush() == 1
    leaf = parse_leaf(mesh.audit.leaves[1])
    assert (leaf.type, leaf.actor, dict(leaf.magnitudes)) == ("access-refused", CUSTODY, {"calls": 7})
    assert b"na-rae" not in mesh.audit.leaves[1]
    intent = mesh.custody.recorded(leaf.commitment)
    assert intent is not None
    assert strict_json.parse_object(intent.body)["caller"] == caller
    assert commitment(intent.salt, intent.body) == leaf.commitment


def test_the_flusher_logs_soon_after_and_tells_the_log_our_pin(mesh: LedgerMesh) -> None:
    log = io.StringIO()
    telemetry = Telemetry("custody", mesh.clock, stream=log, strict=True)
    flusher = Flusher(mesh.custody, telemetry, interval_s=30)
    flusher.start()
    try:
        wait_until(lambda: "GetCheckpoint" in mesh.callers["custody"].calls)
        mesh.custody.later("freeze", b"freeze", key="1")
        wait_until(lambda: kinds(mesh) == ["genesis", "freeze"])
    finally:
        flusher.close()
    assert not any(thread.name == "ledger" for thread in threading.enumerate())


def test_what_was_put_off_last_is_logged_before_the_service_ends(mesh: LedgerMesh) -> None:
    telemetry = Telemetry("custody", mesh.clock, stream=io.StringIO(), strict=True)
    flusher = Flusher(mesh.custody, telemetry, interval_s=30)
    flusher.start()
    wait_until(lambda: "GetCheckpoint" in mesh.callers["custody"].calls)
    # Nobody wakes the flusher, as where a refused call is reported while it is told to stop.
    mesh.custody.on_later(lambda: None)
    mesh.custody.later("access-refused", b"refused", key="1")
    flusher.close()
    assert kinds(mesh) == ["genesis", "access-refused"]


def test_the_flusher_goes_on_after_failures(mesh: LedgerMesh) -> None:
    log = io.StringIO()
    telemetry = Telemetry("custody", mesh.clock, stream=log, strict=True)
    mesh.audit.misbehaviour.silent = True
    flusher = Flusher(mesh.custody, telemetry, interval_s=0.01)
    mesh.custody.later("freeze", b"freeze", key="1")
    flusher.start()
    try:
        wait_until(lambda: "LOG_UNAVAILABLE" in log.getvalue())
        mesh.audit.misbehaviour.silent = False
        wait_until(lambda: kinds(mesh) == ["genesis", "freeze"])
    finally:
        flusher.close()
