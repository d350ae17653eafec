"""A lost log is succeeded by a governance version that begins another; nothing opens in between."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custody_support.second import Packed, SecondVault
from custody_support.succession import APPROVERS, SECOND, Succession
from garim.custody.genesis import OwnGovernance
from garim.custody.tables import dossiers, stopping
from garim.kit.convert import Logged
from garim.kit.governance_table import GovernanceTable
from garim.statements import governance
from garim.statements.model import CheckpointSeen
from garim.statements.refusal import RefusedError
from garim.testing.governance import key_text
from garim.translog.leaf import ZERO_SALT, commitment, parse_leaf
from garim.translog.note import parse_note


def frozen_for(vault: SecondVault) -> str | None:
    with vault.database.reading() as connection:
        freeze = stopping.freeze_in_force(connection)
    return None if freeze is None else freeze.cause


def reason(act: Any) -> str:
    with pytest.raises(RefusedError) as caught:
        act()
    return caught.value.reason


def test_the_version_is_leaf_0_of_the_new_log_and_carries_the_old_pin(
    vault: SecondVault, packed: Packed
) -> None:
    succession = Succession(vault)
    succession.replace()
    succession.agree()
    first = parse_leaf(succession.log.leaves[0])
    assert (first.type, first.commitment) == ("genesis", commitment(ZERO_SALT, succession.document))
    assert vault.own.current().log.origin == SECOND
    assert vault.own.current().log.old_pins == (succession.seen,)
    pinned = vault.ledger.checkpoint_seen()
    assert pinned is not None
    assert pinned.size == 1


def test_the_old_pin_stays_for_the_record(vault: SecondVault, packed: Packed) -> None:
    succession = Succession(vault).done()
    with vault.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT origin, size FROM ledger_pins").all()
    assert succession.log.origin in {row.origin for row in rows}
    assert vault.operator.governance.origin in {row.origin for row in rows}


def test_custody_is_frozen_until_the_quorum_thaws_it_under_the_new_version(
    vault: SecondVault, packed: Packed
) -> None:
    succession = Succession(vault)
    succession.replace()
    succession.agree()
    succession.tell()
    assert frozen_for(vault) == "succession"
    assert reason(lambda: vault.create(vault.request(document={"number": vault.number()}))) == "FROZEN"
    vault.thaw("ga-on")
    assert frozen_for(vault) == "succession"
    vault.thaw("na-rae")
    assert frozen_for(vault) is None
    assert vault.create(vault.request(document={"number": vault.number()}))


def test_while_the_log_is_lost_nothing_opens_and_the_succession_is_decided(
    vault: SecondVault, packed: Packed
) -> None:
    request = vault.approve(vault.ask(packed), *APPROVERS)
    succession = Succession(vault)
    vault.operator.audit.misbehaviour.silent = True
    assert reason(lambda: vault.collecting.collect(request.id)) == "LOG_UNAVAILABLE"
    vault.restoring.begin()
    succession.replace()
    assert reason(lambda: vault.collecting.collect(request.id)) == "RECOVERY_PENDING"
    succession.agree()
    assert vault.restoring.attempt() == 0
    assert frozen_for(vault) == "succession"
    assert reason(lambda: vault.collecting.collect(request.id)) == "FROZEN"


def test_what_the_old_log_held_still_counts(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    vault.deny(request, *APPROVERS)
    Succession(vault).done()
    assert vault.find(request).state == "denied"
    assert reason(lambda: vault.approve(request, "ga-on")) == "REQUEST_STATE"
    with vault.database.reading() as connection:
        kept = dossiers.find(connection, packed.dossier.id)
    assert kept is not None
    assert kept.state == "closed"
    first = vault.document({**json.loads(packed.dossier.payload), "case_number": "2026-TEST-999"})
    counted = vault.forecast(first)
    again = vault.warrants.log(vault.disclosure_grant(first, counted), "disclosure-granted")
    assert reason(lambda: vault.dossiers.create_key(first, again, counted, [])) == "DOCUMENT_USED"


def test_a_proof_of_the_former_log_is_refused_until_it_is_logged_anew(
    vault: SecondVault, packed: Packed
) -> None:
    request = vault.request(document={"number": vault.number()})
    Succession(vault).done()
    assert reason(lambda: vault.create(request)) == "LOG_SUCCEEDED"
    envelope = request.grant.statement
    anew = vault.warrants.ledger.append("disclosure-granted", envelope.payload, key="anew")
    request.grant = Logged(envelope, anew.proof)
    assert vault.create(request).state == "open"


def test_a_receipt_is_logged_anew_when_it_is_asked_for(vault: SecondVault, packed: Packed) -> None:
    Succession(vault).done()
    receipt = vault.closing.receipt(packed.dossier)
    assert packed.dossier.receipt_proof is not None
    assert receipt.proof != packed.dossier.receipt_proof
    assert parse_note(receipt.proof.checkpoint).text.startswith(SECOND)
    with vault.database.reading() as connection:
        kept = dossiers.find(connection, packed.dossier.id)
    assert kept is not None
    assert vault.closing.receipt(kept).proof == receipt.proof


def test_a_request_that_waits_takes_its_grants_new_proof(vault: SecondVault, packed: Packed) -> None:
    received = vault.second(packed)
    grant = vault.unmask_grant(received)
    request = vault.unmasking.open(received, grant)
    Succession(vault).done()
    anew = vault.warrants.ledger.append("unmask-granted", grant.statement.payload, key="anew")
    again = vault.unmasking.open(received, Logged(grant.statement, anew.proof))
    assert again.id == request.id
    assert json.loads(vault.find(request).grant_proof) == anew.proof.to_object()


def test_approvals_from_before_the_succession_do_not_count(vault: SecondVault, packed: Packed) -> None:
    request = vault.approve(vault.ask(packed), *APPROVERS)
    Succession(vault).done()
    assert reason(lambda: vault.collecting.collect(request.id)) == "REQUEST_UNDECIDED"


def test_a_restart_after_the_succession_compares_the_new_log_from_its_first_leaf(
    vault: SecondVault, packed: Packed
) -> None:
    vault.restoring.begin()
    vault.restoring.attempt()
    if frozen_for(vault):
        vault.thaw(*APPROVERS)
    Succession(vault).done()
    vault.restore(vault.backup())
    assert vault.restoring.attempt() == 0
    assert vault.own.current().log.origin == SECOND
    assert vault.ask(packed).state == "pending"


def test_a_custody_that_dies_between_leaf_0_and_the_version_goes_on(
    vault: SecondVault, packed: Packed, monkeypatch: pytest.MonkeyPatch
) -> None:
    succession = Succession(vault)
    succession.replace()
    with monkeypatch.context() as patch:

        def die(_own: OwnGovernance, _version: object) -> None:
            raise MemoryError

        patch.setattr(OwnGovernance, "put_in_force", die)
        with pytest.raises(MemoryError):
            succession.agree()
    assert len(succession.log.leaves) == 1
    vault.restore(vault.backup())
    succession.vault.audit.audit = succession.log
    assert vault.own.height == 1
    assert frozen_for(vault) == "succession"
    succession.agree()
    assert vault.own.height == 2
    assert len(succession.log.leaves) == 1


def test_a_log_begun_under_a_version_that_never_came_into_force_is_forgotten(
    vault: SecondVault, packed: Packed, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Succession(vault, "log-abandoned.test.mesh/garim")
    first.replace()
    with monkeypatch.context() as patch:
        patch.setattr(OwnGovernance, "put_in_force", lambda _own, _version: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            first.agree()
    second = Succession(vault)
    second.replace()
    second.agree()
    assert vault.own.current().log.origin == SECOND


def test_a_custody_restored_from_before_the_succession_takes_the_same_version_again(
    vault: SecondVault, packed: Packed
) -> None:
    backup = vault.backup()
    succession = Succession(vault).done()
    vault.restore(backup)
    assert reason(vault.restoring.attempt) == "LOG_FORK"
    succession.agree()
    assert vault.own.current().log.origin == SECOND
    assert vault.restoring.attempt() > 0
    assert frozen_for(vault) == "recovery"


def test_what_waited_for_the_lost_log_is_logged_in_the_new_one(vault: SecondVault, packed: Packed) -> None:
    vault.operator.audit.misbehaviour.silent = True
    vault.freeze()
    succession = Succession(vault)
    succession.replace()
    succession.agree()
    vault.ledger.flush()
    assert [parse_leaf(one).type for one in succession.log.leaves] == ["genesis", "freeze"]


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": SECOND},
        {"origin": SECOND, "key": "own", "old_pins": ()},
        {"key": "own"},
        {"old_pins": (CheckpointSeen(size=1, root="00" * 32),)},
    ],
    ids=["the former key", "no pins", "another key under the same name", "pins without another log"],
)
def test_a_log_changes_by_succession_alone(
    vault: SecondVault, packed: Packed, changes: dict[str, Any]
) -> None:
    if "key" in changes:
        changes = {**changes, "key": key_text(Ed25519PrivateKey.generate())}
    seen = vault.ledger.checkpoint_seen()
    log = vault.own.current().log
    if changes.get("origin") and "old_pins" not in changes:
        changes = {**changes, "old_pins": (seen,)}
    document = vault.next_governance(log=log.model_copy(update=changes))
    assert reason(lambda: vault.governing.propose(document)) == "GOVERNANCE_LOG"


def test_a_succession_that_carries_less_than_custody_has_pinned_is_refused(
    vault: SecondVault, packed: Packed
) -> None:
    low = CheckpointSeen(size=1, root="00" * 32)
    succession = Succession(vault, old_pins=(low,))
    assert reason(lambda: vault.governing.propose(succession.document)) == "GOVERNANCE_LOG"


def test_a_succession_that_carries_less_than_a_signer_has_pinned_is_refused(
    vault: SecondVault, packed: Packed
) -> None:
    succession = Succession(vault)
    succession.replace()
    more = CheckpointSeen(size=succession.seen.size + 1, root="11" * 32)
    digest = vault.governing.propose(succession.document)
    subject = governance.decision_subject(succession.document)
    vault.governing.decide(digest, vault.decision("ga-on", "governance", subject), "ga-on")
    last = vault.decision("na-rae", "governance", subject, checkpoint=more)
    assert reason(lambda: vault.governing.decide(digest, last, "na-rae")) == "GOVERNANCE_LOG"
    assert not succession.log.leaves


def test_a_succeeded_log_does_not_come_back(vault: SecondVault, packed: Packed) -> None:
    former = vault.own.current().log.origin
    Succession(vault).done()
    back = Succession(vault, former)
    assert reason(lambda: vault.governing.propose(back.document)) == "GOVERNANCE_LOG"


def test_a_version_that_would_not_verify_at_the_next_start_is_not_kept(
    vault: SecondVault, packed: Packed
) -> None:
    witness = "witness.test/w+e4a2a8c8+BIMgx2Bk0sEFUVGPIBM0HMCLBNcVI6XvTOU1BJyKyrqZ"
    log = vault.own.current().log.model_copy(update={"witnesses": (witness,)})
    with pytest.raises(RefusedError, match="LOG_"):
        vault.govern(vault.next_governance(log=log), *APPROVERS)
    kept = OwnGovernance(GovernanceTable(vault.database), vault.core.mesh, vault.operator.governance.genesis)
    assert kept.height == 1
