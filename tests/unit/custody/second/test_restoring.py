"""The comparison with the log at each start: what opens meanwhile, what is completed, what is believed."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custody_support.second import Packed, SecondVault
from custody_support.vault import MESH
from garim.api.audit.v1 import audit_pb2 as pb
from garim.custody import journal as journal_module
from garim.custody.journal import Journal
from garim.custody.kinds import DOSSIER, EPOCH, ORDER, REQUEST
from garim.custody.restoring import RestoringThread
from garim.custody.tables import objects, restoring, stopping
from garim.documents.policy import DAY_MS
from garim.kit.identity import service_id
from garim.kit.ledger import intents
from garim.kit.ledger import tables as ledger_tables
from garim.kit.ledger.intents import Intent
from garim.kit.telemetry import Telemetry
from garim.sealing import hpke
from garim.statements import governance
from garim.statements.refusal import RefusedError
from garim.testing.operator import away
from garim.translog.leaf import ZERO_SALT, Leaf, parse_leaf

CUSTODY = service_id(MESH, "custody")
PENDING = ledger_tables.intents.c.proof.is_(None)


def cause(vault: SecondVault) -> str | None:
    with vault.database.reading() as connection:
        freeze = stopping.freeze_in_force(connection)
    return None if freeze is None else freeze.cause


def opens_nothing(vault: SecondVault, reason: str) -> None:
    with pytest.raises(RefusedError) as caught:
        vault.create(vault.request(document={"number": vault.number()}))
    assert caught.value.reason == reason


@pytest.fixture(autouse=True)
def _first_start(vault: SecondVault) -> None:
    """The first start of all has nothing to catch up with but leaf 0, which the fixtures logged."""
    vault.restoring.begin()
    with vault.database.writing() as connection:
        first = parse_leaf(vault.operator.audit.leaves[0])
        body = vault.operator.governance.versions[0].document
        intents.insert(
            connection,
            Intent("genesis", "0", 1, body, ZERO_SALT, first.commitment, {}, None, 0, deferred=False),
        )
    assert vault.restoring.attempt() == 0


def test_a_database_that_has_lost_nothing_opens_after_the_comparison(
    vault: SecondVault, packed: Packed
) -> None:
    request = vault.approve(vault.ask(packed), "ga-on", "na-rae")
    vault.restore(vault.backup())
    opens_nothing(vault, "RECOVERY_PENDING")
    with pytest.raises(RefusedError, match="RECOVERY_PENDING"):
        vault.collecting.collect(request.id)
    assert vault.restoring.attempt() == 0
    assert cause(vault) is None
    assert vault.opened(vault.collecting.collect(request.id), packed)


def test_while_the_log_is_silent_nothing_opens_and_closing_works(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    vault.restore(vault.backup())
    vault.operator.audit.misbehaviour.silent = True
    with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
        vault.restoring.attempt()
    with pytest.raises(RefusedError, match="RECOVERY_PENDING"):
        vault.collecting.collect(request.id)
    assert vault.deny(request, "ga-on", "na-rae").state == "denied"
    vault.freeze()
    vault.operator.audit.misbehaviour.silent = False
    assert vault.restoring.attempt() == 0


def test_no_governance_and_no_thaw_before_the_comparison(vault: SecondVault) -> None:
    vault.freeze()
    document = vault.next_governance(issued=3)
    digest = vault.governing.propose(document)
    vault.restoring.begin()
    decision = vault.decision("ga-on", "governance", governance.decision_subject(document))
    with pytest.raises(RefusedError, match="RECOVERY_PENDING"):
        vault.governing.decide(digest, decision, "ga-on")
    with pytest.raises(RefusedError, match="RECOVERY_PENDING"):
        vault.thaw("ga-on")


@pytest.mark.sqlite
def test_a_missing_state_is_no_comparison(vault: SecondVault) -> None:
    with vault.database.writing() as connection:
        connection.execute(restoring.comparison.delete())
    opens_nothing(vault, "RECOVERY_PENDING")


def test_a_leaf_whose_answer_was_lost_is_completed(vault: SecondVault, packed: Packed) -> None:
    request = vault.approve(vault.ask(packed), "ga-on", "na-rae")
    vault.operator.audit.misbehaviour.silent_after_append = True
    with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
        vault.collecting.collect(request.id)
    vault.operator.audit.misbehaviour.silent_after_append = False
    vault.clock.advance(5 * 60_000)
    vault.restore(vault.backup())
    assert vault.restoring.attempt() == 0
    leaf = next(one for one in vault.entries() if one.type == "identities-released")
    with vault.database.reading() as connection:
        intent = intents.by_commitment(connection, leaf.commitment)
    assert intent is not None
    assert intent.proof is not None
    assert intent.logged_ms == leaf.time_ms
    assert cause(vault) is None


def test_one_lost_leaf_means_a_restored_database(vault: SecondVault) -> None:
    backup = vault.backup()
    vault.freeze()
    vault.ledger.flush()
    vault.thaw("ga-on", "na-rae")
    vault.restore(backup)
    assert vault.restoring.attempt() == 2
    assert cause(vault) == "recovery"
    opens_nothing(vault, "FROZEN")
    assert vault.thaw("ga-on", "na-rae") is False
    assert vault.create(vault.request(document={"number": vault.number()}))


def test_the_next_start_does_not_take_the_same_loss_for_another(vault: SecondVault) -> None:
    backup = vault.backup()
    vault.freeze()
    vault.ledger.flush()
    vault.restore(backup)
    assert vault.restoring.attempt() == 1
    vault.thaw("ga-on", "na-rae")
    vault.ledger.flush()
    assert vault.logged("recovered") == 1
    vault.restoring.begin()
    assert vault.restoring.attempt() == 0
    assert cause(vault) is None
    vault.restore(backup)
    assert vault.restoring.attempt() > 1
    assert cause(vault) == "recovery"


def test_no_decision_made_before_thaws_the_recovery(vault: SecondVault) -> None:
    first = vault.freeze()
    vault.thaw("ga-on")
    backup = vault.backup()
    vault.thaw("na-rae")
    vault.restore(backup)
    assert vault.restoring.attempt() == 1
    with vault.database.reading() as connection:
        freeze = stopping.freeze_in_force(connection)
    assert freeze is not None
    assert freeze.id != first
    assert vault.thaw("na-rae") is True


def test_a_freeze_that_the_database_lost_is_a_freeze(vault: SecondVault) -> None:
    backup = vault.backup()
    vault.freeze()
    vault.ledger.flush()
    vault.restore(backup)
    vault.restoring.attempt()
    opens_nothing(vault, "FROZEN")


def other_key(vault: SecondVault) -> Journal:
    key = Ed25519PrivateKey.generate()
    good = vault.core.journal
    return Journal(vault.ledger, MESH, vault.clock, good._recovery_public, key.sign)


def other_recipient(vault: SecondVault) -> Journal:
    _, public = hpke.generate()
    return Journal(vault.ledger, MESH, vault.clock, public, vault.core.sign)


def other_mesh(vault: SecondVault) -> Journal:
    journal = Journal(vault.ledger, MESH, vault.clock, vault.core.journal._recovery_public, vault.core.sign)
    plain = journal._seal

    def seal(kind: str, body: bytes, salt: bytes, beside: bytes) -> bytes:
        journal._mesh = "other.mesh"
        binding = journal_module.recovery_binding
        journal_module.recovery_binding = lambda _mesh, kind: binding(MESH, kind)
        try:
            return plain(kind, body, salt, beside)
        finally:
            journal_module.recovery_binding = binding

    journal._seal = seal  # type: ignore[method-assign]
    return journal


def other_body(vault: SecondVault) -> Journal:
    journal = Journal(vault.ledger, MESH, vault.clock, vault.core.journal._recovery_public, vault.core.sign)
    plain = journal._seal
    journal._seal = (  # type: ignore[method-assign]
        lambda kind, body, salt, beside: plain(kind, body + b" ", salt, beside)
    )
    return journal


def other_kind(vault: SecondVault) -> Journal:
    journal = Journal(vault.ledger, MESH, vault.clock, vault.core.journal._recovery_public, vault.core.sign)
    plain = journal._seal

    def seal(kind: str, body: bytes, salt: bytes, beside: bytes) -> bytes:
        binding = journal_module.recovery_binding
        journal_module.recovery_binding = lambda mesh, _kind: binding(mesh, kind)
        try:
            return plain("approval", body, salt, beside)
        finally:
            journal_module.recovery_binding = binding

    journal._seal = seal  # type: ignore[method-assign]
    return journal


@pytest.mark.parametrize(
    ("reason", "bent"),
    [
        ("RECOVERY_LEAF", other_key),
        ("RECOVERY_LEAF", other_recipient),
        ("RECOVERY_LEAF", other_mesh),
        ("RECOVERY_LEAF", other_kind),
        ("LOG_COMMITMENT", other_body),
    ],
)
def test_a_body_that_is_not_custodys_own_for_this_entry_keeps_custody_shut(
    vault: SecondVault, reason: str, bent: Callable[[SecondVault], Journal]
) -> None:
    backup = vault.backup()
    bent(vault).append("thaw", b"body", key="bent")
    vault.restore(backup)
    for _ in range(2):
        with pytest.raises(RefusedError) as caught:
            vault.restoring.attempt()
        assert caught.value.reason == reason, caught.value
    assert cause(vault) == "recovery"
    with pytest.raises(RefusedError, match="RECOVERY_PENDING"):
        vault.thaw("ga-on")
    opens_nothing(vault, "RECOVERY_PENDING")


def test_nothing_is_applied_while_one_entry_cannot_be_read(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    backup = vault.backup()
    vault.deny(request, "ga-on", "na-rae")
    vault.ledger.flush()
    other_key(vault).append("thaw", b"body", key="bent")
    vault.restore(backup)
    with pytest.raises(RefusedError, match="RECOVERY_LEAF"):
        vault.restoring.attempt()
    assert vault.find(request).state == "pending"


def test_an_entry_under_another_type_completes_nothing(vault: SecondVault) -> None:
    vault.operator.audit.misbehaviour.silent = True
    vault.freeze()
    with vault.database.reading() as connection:
        waiting = connection.execute(ledger_tables.intents.select().where(PENDING)).one()
    vault.operator.audit.add(Leaf("thaw", vault.clock.now_ms(), CUSTODY, waiting.commitment).encode())
    vault.operator.audit.misbehaviour.silent = False
    vault.restore(vault.backup())
    with pytest.raises(RefusedError, match="LOG_TYPE"):
        vault.restoring.attempt()
    with vault.database.reading() as connection:
        assert connection.execute(ledger_tables.intents.select().where(PENDING)).one() == waiting
    opens_nothing(vault, "RECOVERY_PENDING")


def test_a_leaf_without_a_body_or_of_an_unknown_type_keeps_custody_shut(vault: SecondVault) -> None:
    backup = vault.backup()
    vault.core.journal.append("something-new", b"{}", key="new")
    vault.restore(backup)
    with pytest.raises(RefusedError, match="RECOVERY_LEAF"):
        vault.restoring.attempt()
    vault.restore(backup)
    vault.operator.audit.add(Leaf("destroyed", vault.clock.now_ms(), CUSTODY, b"\x01" * 32).encode())
    with pytest.raises(RefusedError, match="RECOVERY_LEAF"):
        vault.restoring.attempt()


def test_refused_calls_and_other_services_entries_say_nothing_about_what_was_done(
    vault: SecondVault,
) -> None:
    vault.warrants.ledger.append("approval", b"theirs", key="theirs")
    backup = vault.backup()
    vault.restore(backup)
    assert vault.restoring.attempt() == 0
    vault.ledger.append("access-refused", b"refused", key="refused")
    vault.restore(backup)
    assert vault.restoring.attempt() == 1


class LyingReader:
    """The audit service, which shows other leaves than its tree has."""

    def __init__(self, vault: SecondVault, bend: Callable[[list[bytes]], list[bytes]]) -> None:
        self._vault, self._bend = vault, bend
        self.GetInclusionProof = vault.audit.GetInclusionProof

    def ListEntries(self, request: pb.ListEntriesRequest, /) -> pb.ListEntriesResponse:  # noqa: N802 - the RPC's
        """List bent leaves."""
        honest = self._vault.audit.ListEntries(request)
        return pb.ListEntriesResponse(leaves=self._bend(list(honest.leaves)), next_start=honest.next_start)


@pytest.mark.parametrize(
    "bend",
    [
        lambda leaves: [],
        lambda leaves: leaves[:-1],
        lambda leaves: [one.replace(b"service/custody", b"service/warrants") for one in leaves],
        lambda leaves: leaves[::-1],
    ],
)
def test_a_log_that_hides_a_leaf_is_found_out(
    vault: SecondVault, bend: Callable[[list[bytes]], list[bytes]]
) -> None:
    backup = vault.backup()
    vault.freeze()
    vault.ledger.flush()
    vault.thaw("ga-on", "na-rae")
    vault.restore(backup)
    vault.restoring.log = LyingReader(vault, bend)
    with pytest.raises(RefusedError, match="LOG_LEAVES"):
        vault.restoring.attempt()
    opens_nothing(vault, "RECOVERY_PENDING")


def test_long_logs_are_read_in_pages_and_only_from_where_the_last_start_ended(
    vault: SecondVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("garim.custody.restoring.PAGE", 3)
    for number in range(8):
        vault.warrants.ledger.append("approval", b"%d" % number, key=str(number))
    vault.restoring.begin()
    assert vault.restoring.attempt() == 0
    vault.audit.calls.clear()
    vault.restoring.begin()
    assert vault.restoring.attempt() == 0
    assert "ListEntries" not in vault.audit.calls


def test_key_objects_that_the_database_has_lost_end_one_day(vault: SecondVault) -> None:
    backup = vault.backup()
    for kind in (EPOCH, DOSSIER, ORDER, REQUEST):
        vault.provider.create_object(kind, "ab" * 16)
    vault.freeze()
    vault.ledger.flush()
    vault.restore(backup)
    vault.restoring.attempt()
    now_ms = vault.clock.now_ms()
    with vault.database.reading() as connection:
        found = {kind: objects.find(connection, kind, "ab" * 16) for kind in (EPOCH, DOSSIER, ORDER, REQUEST)}
    assert {kind: one and one.due_ms for kind, one in found.items()} == {
        EPOCH: now_ms + 5 * DAY_MS,
        DOSSIER: now_ms + 90 * DAY_MS,
        ORDER: now_ms + 90 * DAY_MS,
        REQUEST: now_ms,
    }
    vault.keeper.tick()
    assert vault.provider.list(REQUEST) == []


def test_the_thread_tries_until_the_log_answers(vault: SecondVault) -> None:
    vault.restoring.begin()
    vault.operator.audit.misbehaviour.silent = True
    telemetry = Telemetry("custody", vault.clock, stream=io.StringIO(), strict=False)
    thread = RestoringThread(vault.restoring, telemetry, interval_s=0.01)
    thread.start()
    try:
        with pytest.raises(RefusedError, match="RECOVERY_PENDING"):
            thread.check()
        vault.operator.audit.misbehaviour.silent = False
        patient(thread.check)
    finally:
        thread.close()


def patient(check: Callable[[], Any]) -> None:
    for _ in range(500):
        try:
            return check()
        except RefusedError:
            time.sleep(0.01)
    raise AssertionError


def test_a_peer_that_fails_in_any_way_leaves_custody_shut(vault: SecondVault) -> None:
    vault.restoring.begin()

    def fails() -> None:
        raise away()

    vault.restoring.refresh = fails  # type: ignore[assignment]
    with pytest.raises(RefusedError, match="PEER_UNAVAILABLE"):
        vault.restoring.attempt()
    opens_nothing(vault, "RECOVERY_PENDING")
