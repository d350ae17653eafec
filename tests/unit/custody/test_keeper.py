from __future__ import annotations

import base64
import threading

import pytest

from custody_support.vault import MESH, Vault
from garim.custody.journal import BODY_TYPE, recovery_binding
from garim.custody.keeper import SILENCE_MS, KeeperThread
from garim.custody.kinds import EPOCH, RECOVERY
from garim.custody.providers import demand_destroys_in_time
from garim.custody.recovery import OBJECT_ID
from garim.custody.tables import epochs, objects, recovery_keys, stopping
from garim.custody.tables.epochs import Epoch
from garim.documents.policy import DAY_MS
from garim.kit.providers import KeyHandle
from garim.sealing import hpke
from garim.statements import dsse, strict_json
from garim.statements.receipts import DestructionCertificate
from garim.statements.refusal import RefusedError
from garim.testing.keys import MemoryKeyProvider
from garim.translog.leaf import commitment

RETENTION_MS = 3 * DAY_MS


@pytest.fixture
def epoch(vault: Vault) -> Epoch:
    """An epoch that is past retention by a second."""
    made = vault.epochs.current_and_next()[0]
    vault.clock.advance(made.not_after_ms + RETENTION_MS + 1_000 - vault.clock.now_ms())
    return made


def state_of(vault: Vault, epoch: Epoch) -> str:
    with vault.database.reading() as connection:
        found = objects.find(connection, EPOCH, epoch.id)
    assert found is not None
    return found.state


def keys_live(vault: Vault, epoch: Epoch) -> bool:
    return vault.provider.exists(KeyHandle(EPOCH, epoch.id))


def test_an_epoch_ends_with_its_retention_and_the_log_says_so_before_and_after(
    vault: Vault, epoch: Epoch
) -> None:
    vault.keeper.tick()
    vault.ledger.flush()
    assert not keys_live(vault, epoch)
    assert [one.type for one in vault.entries()][-2:] == ["destruction-intended", "destroyed"]
    with vault.database.reading() as connection:
        kept = epochs.find(connection, epoch.id)
        ended = objects.find(connection, EPOCH, epoch.id)
    assert kept is not None
    assert ended is not None
    assert kept.wrapped_private is None
    assert kept.wrapped_index is None
    assert ended.certificate is not None
    keys = vault.operator.governance.current().keys_of("custody")
    certificate = DestructionCertificate.verify(dsse.from_bytes(ended.certificate), keys, mesh=MESH, now=None)
    assert (certificate.kind, certificate.object, certificate.cause) == ("epoch", epoch.id, "retention")


def test_before_its_time_nothing_is_destroyed(vault: Vault) -> None:
    made = vault.epochs.current_and_next()[0]
    vault.clock.advance(made.not_after_ms + RETENTION_MS - 1 - vault.clock.now_ms())
    vault.keeper.tick()
    assert keys_live(vault, made)
    assert vault.logged("destruction-intended") == 0


def test_a_destruction_is_logged_once(vault: Vault, epoch: Epoch) -> None:
    for _ in range(3):
        vault.keeper.tick()
        vault.ledger.flush()
    assert vault.logged("destroyed") == 1


def test_the_intent_is_logged_before_anything_is_destroyed(
    vault: Vault, epoch: Epoch, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    destroy = vault.provider.destroy

    def watch(handle: KeyHandle) -> None:
        seen.append(vault.logged("destruction-intended"))
        destroy(handle)

    monkeypatch.setattr(vault.provider, "destroy", watch)
    vault.keeper.tick()
    assert seen == [1]


def test_a_freeze_never_stops_destruction(vault: Vault, epoch: Epoch) -> None:
    with vault.database.writing() as connection:
        stopping.begin_freeze(connection, stopping.Freeze("00" * 16, vault.clock.now_ms(), "custodian"))
    vault.keeper.tick()
    assert not keys_live(vault, epoch)


def test_a_silent_log_holds_destruction_back_for_24_hours_of_the_monotonic_clock(
    vault: Vault, epoch: Epoch
) -> None:
    vault.operator.audit.misbehaviour.silent = True
    vault.keeper.tick()
    vault.clock.advance(SILENCE_MS - 1)
    vault.keeper.tick()
    assert keys_live(vault, epoch)
    vault.clock.advance(1)
    vault.keeper.tick()
    assert not keys_live(vault, epoch)
    assert vault.logged("destroyed") == 0
    vault.operator.audit.misbehaviour.silent = False
    vault.ledger.flush()
    assert vault.logged("destruction-intended") >= 1
    assert vault.logged("destroyed") == 1


def test_the_wall_clock_does_not_shorten_the_silence(vault: Vault, epoch: Epoch) -> None:
    vault.operator.audit.misbehaviour.silent = True
    vault.keeper.tick()
    vault.clock.jump_wall(30 * DAY_MS)
    vault.keeper.tick()
    assert keys_live(vault, epoch)


def test_silence_counts_on_after_a_restart(vault: Vault, epoch: Epoch) -> None:
    vault.operator.audit.misbehaviour.silent = True
    vault.keeper.tick()
    vault.clock.advance(SILENCE_MS // 2)
    vault.keeper.tick()
    vault.database.close()
    vault.open()
    vault.keeper.tick()
    assert keys_live(vault, epoch)
    vault.clock.advance(SILENCE_MS // 2)
    vault.keeper.tick()
    assert not keys_live(vault, epoch)


@pytest.mark.parametrize("off_ms", [121_000, -121_000])
def test_a_clock_two_minutes_off_the_logs_destroys_nothing(vault: Vault, epoch: Epoch, off_ms: int) -> None:
    vault.operator.audit.misbehaviour.time_shift_ms = off_ms
    vault.keeper.tick()
    vault.clock.advance(2 * SILENCE_MS)
    vault.keeper.tick()
    assert keys_live(vault, epoch)


def test_a_clock_that_ran_ahead_destroys_nothing(vault: Vault) -> None:
    made = vault.epochs.current_and_next()[0]
    vault.operator.audit.clock = type(vault.clock)(vault.clock.now_ms())
    vault.clock.jump_wall(10 * DAY_MS)
    vault.keeper.tick()
    assert keys_live(vault, made)


def test_an_entry_dated_before_the_time_destroys_nothing(vault: Vault) -> None:
    made = vault.epochs.current_and_next()[0]
    vault.clock.advance(made.not_after_ms + RETENTION_MS - vault.clock.now_ms())
    vault.operator.audit.misbehaviour.time_shift_ms = -60_000
    vault.keeper.tick()
    assert keys_live(vault, made)


def test_a_crash_between_intent_and_destruction_is_made_up_for(
    vault: Vault, epoch: Epoch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_handle: KeyHandle) -> None:
        raise RefusedError("KEY_OBJECT_NOT_DESTROYED", "TEST")

    with monkeypatch.context() as patch:
        patch.setattr(vault.provider, "destroy", fails)
        vault.keeper.tick()
    assert state_of(vault, epoch) == "intended"
    vault.keeper.tick()
    assert state_of(vault, epoch) == "destroyed"


def test_what_still_opens_is_not_called_destroyed(
    vault: Vault, epoch: Epoch, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(vault.provider, "destroy", lambda _handle: None)
        vault.keeper.tick()
    vault.ledger.flush()
    assert state_of(vault, epoch) == "intended"
    assert vault.logged("destroyed") == 0


def test_governance_may_shorten_an_epochs_life_and_never_lengthen_it(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = vault.epochs.current_and_next()[0]
    governance = vault.operator.governance.current()

    def retention(ms: int) -> None:
        terms = governance.terms.model_copy(update={"retention": ms})
        changed = governance.model_copy(update={"terms": terms})
        monkeypatch.setattr(vault.operator.governance, "current", lambda: changed)

    retention(30 * DAY_MS)
    vault.clock.advance(made.not_after_ms + DAY_MS - vault.clock.now_ms())
    vault.keeper.tick()
    assert keys_live(vault, made)
    retention(DAY_MS)
    vault.keeper.tick()
    assert not keys_live(vault, made)


def test_lengthening_the_retention_keeps_no_epoch(vault: Vault, epoch: Epoch) -> None:
    assert epoch.released_until(300 * DAY_MS) == epoch.not_after_ms + RETENTION_MS


def test_a_provider_that_destroys_too_late_is_refused() -> None:
    slow = MemoryKeyProvider(MESH)
    slow.destruction_delay_ms = 7 * DAY_MS
    with pytest.raises(RefusedError, match="KEY_PROVIDER_SLOW"):
        demand_destroys_in_time(slow, RETENTION_MS)
    demand_destroys_in_time(MemoryKeyProvider(MESH), RETENTION_MS)


def test_the_log_carries_what_custody_did_sealed_to_the_recovery_key(vault: Vault, epoch: Epoch) -> None:
    vault.keeper.tick()
    leaf = next(one for one in vault.entries() if one.type == "destruction-intended")
    assert leaf.sealed is not None
    assert epoch.id.encode() not in leaf.sealed
    body, salt = open_sealed(vault, leaf.type, leaf.sealed)
    assert leaf.commitment == commitment(salt, body)
    assert epoch.id.encode() in body


def open_sealed(vault: Vault, kind: str, sealed: bytes) -> tuple[bytes, bytes]:
    """Open a leaf's sealed body with the recovery key."""
    with vault.database.reading() as connection:
        key = recovery_keys.newest(connection)
    assert key is not None
    private = vault.provider.unwrap(KeyHandle(RECOVERY, OBJECT_ID), key.wrapped_private, b"private")
    plain = hpke.open_sealed(sealed, private, recovery_binding(MESH, kind))
    keys = vault.operator.governance.current().keys_of("custody")
    payload = dsse.verify(dsse.from_bytes(bytes(plain.buffer)), BODY_TYPE, keys)
    members = strict_json.parse_object(payload)
    return base64.b64decode(members["body"]), bytes.fromhex(members["salt"])


def test_storage_that_fails_for_one_object_keeps_no_other_alive(
    vault: Vault, epoch: Epoch, monkeypatch: pytest.MonkeyPatch
) -> None:
    following = vault.epochs.current_and_next()[0]
    vault.clock.advance(following.not_after_ms + RETENTION_MS + 1_000 - vault.clock.now_ms())
    destroy = vault.provider.destroy

    def failing(handle: KeyHandle) -> None:
        if handle.object_id == epoch.id:
            raise OSError(5, "Input/output error")
        destroy(handle)

    monkeypatch.setattr(vault.provider, "destroy", failing)
    vault.keeper.tick()
    assert keys_live(vault, epoch)
    assert state_of(vault, following) == "destroyed"
    monkeypatch.undo()
    vault.keeper.tick()
    assert state_of(vault, epoch) == "destroyed"


def test_a_keeper_that_fails_unexpectedly_once_goes_on(
    vault: Vault, epoch: Epoch, monkeypatch: pytest.MonkeyPatch
) -> None:
    tick, ticked = vault.keeper.tick, threading.Event()
    failures = [OSError(28, "No space left on device")]

    def unreliable() -> None:
        if failures:
            raise failures.pop()
        tick()
        ticked.set()

    monkeypatch.setattr(vault.keeper, "tick", unreliable)
    thread = KeeperThread(vault.keeper, vault.telemetry, interval_s=0.01)
    thread.start()
    assert ticked.wait(10)
    thread.close()
    assert not keys_live(vault, epoch)
