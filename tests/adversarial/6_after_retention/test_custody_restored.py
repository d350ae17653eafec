"""Attacks with an older copy of custody's database: nothing opens, counts twice or comes back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from custody_support.second import NAMES, Packed, SecondVault
from custody_support.vault import records_of
from garim.custody.kinds import DOSSIER, EPOCH, ORDER, REQUEST
from garim.custody.tables import dossiers, epochs, objects, unmask
from garim.documents.fields import write_instant
from garim.documents.policy import DAY_MS
from garim.kit.providers import KeyHandle, not_destroyed
from garim.sealing.secret import Secret
from garim.statements import dsse
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.testing.keys import MemoryKeyProvider


def recover(vault: SecondVault, backup: Path) -> None:
    """Start on a backup: shut, then frozen, then thawed by a quorum."""
    vault.restore(backup)
    with pytest.raises(RefusedError, match="RECOVERY_PENDING"):
        vault.create(vault.request(document={"number": vault.number()}))
    assert vault.restoring.attempt() > 0
    with pytest.raises(RefusedError, match="FROZEN"):
        vault.create(vault.request(document={"number": vault.number()}))
    assert vault.thaw("ga-on", "na-rae") is False


def refuses(reason: str, call: Callable[[], object]) -> None:
    with pytest.raises(RefusedError) as caught:
        call()
    assert caught.value.reason == reason, caught.value


def test_a_denied_request_stays_denied(vault: SecondVault, packed: Packed) -> None:
    request = vault.approve(vault.ask(packed), "da-som")
    backup = vault.backup()
    vault.deny(request, "ga-on", "na-rae")
    vault.ledger.flush()
    recover(vault, backup)
    assert vault.find(request).state == "denied"
    refuses("REQUEST_STATE", lambda: vault.approve(request, "ga-on"))
    refuses("REQUEST_STATE", lambda: vault.collecting.collect(request.id))


def test_a_single_denial_still_counts(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    backup = vault.backup()
    vault.deny(request, "ga-on")
    vault.ledger.flush()
    recover(vault, backup)
    refuses("DECISION_REPEATED", lambda: vault.approve(request, "ga-on"))
    assert vault.deny(request, "na-rae").state == "denied"


def test_a_denial_of_a_request_that_was_lost_itself_changes_nothing(
    vault: SecondVault, packed: Packed
) -> None:
    backup = vault.backup()
    request = vault.ask(packed)
    vault.deny(request, "ga-on", "na-rae")
    vault.ledger.flush()
    recover(vault, backup)
    assert vault.find(request).state == "expired"


def test_a_release_is_not_done_again_and_its_answer_needs_a_new_document(
    vault: SecondVault, packed: Packed
) -> None:
    request = vault.approve(vault.ask(packed), "ga-on", "na-rae")
    backup = vault.backup()
    vault.collecting.collect(request.id)
    vault.keeper.tick()
    recover(vault, backup)
    assert vault.find(request).state == "released"
    refuses("REQUEST_STATE", lambda: vault.collecting.collect(request.id))
    refuses("REQUEST_STATE", lambda: vault.approve(request, "da-som"))
    with vault.database.reading() as connection:
        assert unmask.shares(connection, request.id) == []
    again = vault.approve(vault.ask(packed), "ga-on", "na-rae")
    assert vault.opened(vault.collecting.collect(again.id), packed)


def test_what_was_released_still_counts_against_the_budget(vault: SecondVault) -> None:
    packed = vault.pack(unmask_budget=2)
    backup = vault.backup()
    for name in NAMES[:2]:
        request = vault.approve(vault.ask(packed, name), "ga-on", "na-rae")
        vault.collecting.collect(request.id)
    recover(vault, backup)
    refuses("UNMASK_BUDGET", lambda: vault.ask(packed, NAMES[2]))


def test_a_used_second_document_counts_once(vault: SecondVault, packed: Packed) -> None:
    received = vault.second(packed, number="2026-TEST-used")
    grant = vault.unmask_grant(received)
    backup = vault.backup()
    request = vault.unmasking.open(received, grant)
    recover(vault, backup)
    refuses("DOCUMENT_USED", lambda: vault.unmasking.open(received, vault.unmask_grant(received)))
    refuses("DOCUMENT_USED", lambda: vault.ask(packed, NAMES[1], number="2026-TEST-used"))
    # The same grant leads to the same request, which has ended: its one-time key was lost.
    assert vault.unmasking.open(received, grant).state == "expired"
    # Nothing can be decided about it: what its subject was is lost.
    envelope = vault.decision("ga-on", "approve", request.subject)
    refuses("DECISION_SUBJECT", lambda: vault.decisions.decide(request.id, envelope, [], "ga-on"))
    vault.keeper.tick()
    assert not vault.provider.exists(KeyHandle(REQUEST, request.id))


def test_a_used_first_document_counts_once(vault: SecondVault) -> None:
    request = vault.request(document={"number": "2026-TEST-first"})
    backup = vault.backup()
    made = vault.create(request)
    recover(vault, backup)
    refuses("DOCUMENT_USED", lambda: vault.create(request))
    changed = vault.request(document={"number": "2026-TEST-first", "offence": "murder"})
    refuses("DOCUMENT_USED", lambda: vault.create(changed))
    with vault.database.reading() as connection:
        known = objects.find(connection, DOSSIER, made.id)
    assert known is not None
    assert known.due_ms == made.unmask_until_ms


def later(vault: SecondVault) -> dict[str, str]:
    """Return a period other than the sample's."""
    return {
        name: write_instant(documents.millis(vault.pki) - hours * 3_600_000)
        for name, hours in (("from", 47), ("to", 25))
    }


def test_a_used_preservation_order_counts_once(vault: SecondVault, kept: Any) -> None:
    members = documents.preservation(vault.pki, number="2026-TEST-order")
    received = vault.document(members)
    grant = vault.warrants.log(vault.preservation_grant(received), "preservation-granted")
    backup = vault.backup()
    vault.orders.preserve(received, grant, records_of(kept))
    order = vault.provider.list(ORDER)[0].object_id
    recover(vault, backup)
    refuses("DOCUMENT_USED", lambda: vault.orders.preserve(received, grant, records_of(kept)))
    other = vault.document(documents.preservation(vault.pki, number="2026-TEST-order", period=later(vault)))
    other_grant = vault.warrants.log(vault.preservation_grant(other), "preservation-granted")
    refuses("DOCUMENT_USED", lambda: vault.orders.preserve(other, other_grant, records_of(kept)))
    with vault.database.reading() as connection:
        known = objects.find(connection, ORDER, order)
    assert known is not None
    assert known.due_ms is not None


def test_a_revoked_document_stays_revoked_and_its_requests_with_it(
    vault: SecondVault, packed: Packed
) -> None:
    request = vault.approve(vault.ask(packed), "ga-on", "na-rae")
    backup = vault.backup()
    vault.revoke(packed)
    vault.ledger.flush()
    recover(vault, backup)
    assert vault.find(request).state == "revoked"
    refuses("DOCUMENT_REVOKED", lambda: vault.ask(packed))


def test_a_closed_dossier_stays_closed_and_releases_no_key(vault: SecondVault, kept: Any) -> None:
    dossier = vault.create(vault.request(document={"number": vault.number()}))
    vault.release(dossier, kept)
    backup = vault.backup()
    receipt = vault.closing.close(bytes.fromhex(dossier.id), vault.finished())
    recover(vault, backup)
    refuses("DOSSIER_CLOSED", lambda: vault.release(dossier, kept))
    refuses("DOSSIER_CHANGED", lambda: vault.closing.close(bytes.fromhex(dossier.id), vault.finished()))
    with vault.database.reading() as connection:
        found = dossiers.find(connection, dossier.id)
    assert found is not None
    assert found.state == "closed"
    assert found.sealed_secret is None
    assert found.receipt is not None
    assert receipt.statement.payload in dsse_payload(found.receipt)


def dsse_payload(envelope: bytes) -> bytes:
    return dsse.from_bytes(envelope).payload


def test_a_dossier_whose_sealing_secret_was_lost_gives_up_nobody(vault: SecondVault) -> None:
    plain, backups = vault.closing.close, []

    def close(*arguments: Any) -> Any:
        backups.append(vault.backup())
        return plain(*arguments)

    vault.closing.close = close  # type: ignore[method-assign]
    packed = vault.pack()
    recover(vault, backups[0])
    refuses("DOSSIER_DAMAGED", lambda: vault.ask(packed))


def test_a_closing_that_only_lacked_its_proof_keeps_its_secret(vault: SecondVault) -> None:
    backups: list[Path] = []
    vault.before("dossier-closed", lambda: backups.append(vault.backup()))
    plain = vault.core.journal.append

    def append(kind: str, *arguments: Any, **options: Any) -> Any:
        if kind == "dossier-closed":
            backups.insert(0, vault.backup())
        return plain(kind, *arguments, **options)

    vault.core.journal.append = append  # type: ignore[method-assign]
    packed = vault.pack()
    recover(vault, backups[0])
    request = vault.approve(vault.ask(packed), "ga-on", "na-rae")
    assert vault.opened(vault.collecting.collect(request.id), packed)


@pytest.fixture
def kept(vault: SecondVault) -> Any:
    """One stored message; the clock is set back for it, as if it had been stored two days ago."""
    now_ms = vault.clock.now_ms()
    vault.clock.jump_wall(-46 * 3_600_000)
    stored = vault.sample(vault.stored_epoch())
    vault.clock.jump_wall(now_ms - vault.clock.now_ms())
    return stored


def test_a_destroyed_epoch_stays_destroyed(vault: SecondVault) -> None:
    epoch = vault.epochs.current_and_next()[0]
    backup = vault.backup()
    vault.clock.advance(epoch.released_until(epoch.retention_ms) - vault.clock.now_ms())
    vault.keeper.tick()
    vault.ledger.flush()
    assert not vault.provider.exists(KeyHandle(EPOCH, epoch.id))
    vault.restore(backup)
    with vault.database.reading() as connection:
        found = epochs.find(connection, epoch.id)
    assert found is not None
    assert found.wrapped_private is not None
    vault.restoring.attempt()
    with vault.database.reading() as connection:
        found = epochs.find(connection, epoch.id)
        known = objects.find(connection, EPOCH, epoch.id)
    assert found is not None
    assert found.wrapped_private is found.wrapped_index is None
    assert known is not None
    assert known.state == "destroyed"


def test_an_object_that_came_back_is_destroyed_again(vault: SecondVault) -> None:
    """A provider that was restored together with the database: what the log calls destroyed is destroyed."""
    epoch = vault.epochs.current_and_next()[0]
    backup = vault.backup()
    assert isinstance(vault.provider, MemoryKeyProvider)
    handle = KeyHandle(EPOCH, epoch.id)
    key = bytes(vault.provider._keys[handle].buffer)
    vault.clock.advance(epoch.released_until(epoch.retention_ms) - vault.clock.now_ms())
    vault.keeper.tick()
    vault.ledger.flush()
    vault.provider._keys[handle] = Secret(bytearray(key))
    vault.restore(backup)
    vault.restoring.attempt()
    assert not vault.provider.exists(handle)


def test_a_destruction_that_was_only_intended_goes_on(vault: SecondVault) -> None:
    epoch = vault.epochs.current_and_next()[0]
    backup = vault.backup()
    vault.clock.advance(epoch.released_until(epoch.retention_ms) - vault.clock.now_ms())
    plain = vault.provider.destroy

    def crash(handle: KeyHandle) -> None:
        raise not_destroyed(handle)

    vault.provider.destroy = crash  # type: ignore[method-assign]
    vault.keeper.tick()
    assert vault.logged("destruction-intended") > 0
    vault.provider.destroy = plain  # type: ignore[method-assign]
    vault.restore(backup)
    vault.restoring.attempt()
    with vault.database.reading() as connection:
        known = objects.find(connection, EPOCH, epoch.id)
    assert known is not None
    assert known.state == "intended"
    vault.keeper.tick()
    assert not vault.provider.exists(KeyHandle(EPOCH, epoch.id))


def test_a_destroyed_dossier_key_opens_nothing_after_a_restore(vault: SecondVault) -> None:
    packed = vault.pack(unmask_until=vault.clock.now_ms() + DAY_MS)
    request = vault.approve(vault.ask(packed), "ga-on", "na-rae")
    backup = vault.backup()
    vault.clock.advance(DAY_MS)
    vault.keeper.tick()
    vault.ledger.flush()
    vault.restore(backup)
    vault.restoring.attempt()
    # Even a clock that is set back brings no key back.
    vault.clock.jump_wall(-DAY_MS)
    with vault.database.reading() as connection:
        found = dossiers.find(connection, packed.dossier.id)
        assert dossiers.shares(connection, packed.dossier.id) == []
    assert found is not None
    assert found.wrapped_private is None
    assert vault.find(request).state == "expired"


def test_governance_that_the_database_lost_is_in_force_again(vault: SecondVault) -> None:
    backup = vault.backup()
    for number in (2, 3):
        vault.govern(vault.next_governance(issued=number), "ga-on", "na-rae")
    lost = [vault.own.version(number) for number in (2, 3)]
    vault.restore(backup)
    assert vault.own.height == 1
    vault.restoring.attempt()
    found = [vault.own.version(number) for number in (2, 3)]
    assert [one and one[:2] for one in found] == [one and one[:2] for one in lost]
    vault.restore(vault.backup())
    assert vault.own.height == 3


def test_a_recovery_that_is_interrupted_at_any_entry_is_completed_by_the_next(
    vault: SecondVault, packed: Packed
) -> None:
    request = vault.approve(vault.ask(packed), "ga-on", "na-rae")
    other = vault.ask(packed, NAMES[1])
    backup = vault.backup()
    vault.collecting.collect(request.id)
    vault.deny(other, "ga-on", "na-rae")
    vault.revoke(packed)
    vault.keeper.tick()
    vault.ledger.flush()
    for stop_at in range(1, 9):
        vault.restore(backup)
        plain = vault.restoring.reapplying.apply
        done: list[int] = []

        def apply(entry: Any, *, plain: Any = plain, done: Any = done, stop_at: int = stop_at) -> None:
            plain(entry)
            done.append(1)
            if len(done) == stop_at:
                raise RuntimeError

        vault.restoring.reapplying = Applying(apply, vault.restoring.reapplying.note_objects)  # type: ignore[assignment]
        try:
            vault.restoring.attempt()
        except RuntimeError:
            with pytest.raises(RefusedError, match="RECOVERY_PENDING"):
                vault.thaw("ga-on")
            vault.restore(vault.backup())
            vault.restoring.attempt()
        assert (vault.find(request).state, vault.find(other).state) == ("released", "denied")
        refuses("FROZEN", lambda: vault.ask(packed))


class Applying:
    """Stands in for `Reapplying`."""

    def __init__(self, apply: Callable[[Any], None], note_objects: Callable[[], None]) -> None:
        self.apply, self.note_objects = apply, note_objects
