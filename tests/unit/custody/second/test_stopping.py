"""Freeze and thaw, revocation, governance."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from custody_support.second import Packed, SecondVault
from custody_support.vault import MESH
from garim.custody.tables import deciding, stopping
from garim.statements import governance, subjects
from garim.statements.refusal import RefusedError
from garim.testing.operator import away


def frozen(vault: SecondVault) -> str | None:
    with vault.database.reading() as connection:
        freeze = stopping.freeze_in_force(connection)
    return None if freeze is None else freeze.id


def test_one_custodian_freezes_at_once_and_the_log_hears_of_it_next(vault: SecondVault) -> None:
    vault.operator.audit.misbehaviour.silent = True
    freeze_id = vault.freeze()
    assert frozen(vault) == freeze_id
    vault.operator.audit.misbehaviour.silent = False
    vault.ledger.flush()
    assert vault.logged("freeze") == 1


def test_a_freeze_again_is_the_freeze_in_force(vault: SecondVault) -> None:
    envelope = vault.decision("ga-on", "freeze", subjects.freeze(MESH))
    first = vault.freezing.freeze(envelope, "ga-on")
    assert vault.freezing.freeze(envelope, "ga-on") == first
    assert vault.freeze("na-rae") == first
    vault.ledger.flush()
    assert vault.logged("freeze") == 1


def test_each_freeze_is_logged_even_by_the_same_decision(vault: SecondVault) -> None:
    envelope = vault.decision("ga-on", "freeze", subjects.freeze(MESH))
    first = vault.freezing.freeze(envelope, "ga-on")
    vault.thaw("ga-on", "na-rae")
    assert vault.freezing.freeze(envelope, "ga-on") != first
    vault.ledger.flush()
    assert vault.logged("freeze") == 2


def test_a_freeze_needs_a_custodian_a_reason_and_its_own_subject(vault: SecondVault) -> None:
    for reason, person, changes in (
        ("DECISION_PERSON", "ra-on", {"key": vault.operator.governance.custodian_keys["ga-on"]}),
        ("DECISION_REASON", "ga-on", {"reason": ""}),
    ):
        envelope = vault.decision(person, "freeze", subjects.freeze(MESH), **changes)  # type: ignore[arg-type]
        with pytest.raises(RefusedError, match=reason):
            vault.freezing.freeze(envelope, person)
    for action, subject in (("thaw", subjects.freeze(MESH)), ("freeze", subjects.freeze("other"))):
        envelope = vault.decision("ga-on", action, subject)  # type: ignore[arg-type] # both are actions
        with pytest.raises(RefusedError, match="DECISION_"):
            vault.freezing.freeze(envelope, "ga-on")
    assert frozen(vault) is None


def test_thawing_takes_the_quorum_and_the_log(vault: SecondVault) -> None:
    freeze_id = vault.freeze()
    assert vault.thaw("ga-on") is True
    assert vault.thaw("ga-on") is True
    vault.operator.audit.misbehaviour.silent = True
    with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
        vault.thaw("na-rae")
    assert frozen(vault) == freeze_id
    vault.operator.audit.misbehaviour.silent = False
    assert vault.thaw("na-rae") is False
    assert frozen(vault) is None
    assert vault.logged("thaw") == 1


def test_an_old_thaw_does_not_end_a_new_freeze(vault: SecondVault) -> None:
    first = vault.freeze()
    old = [
        (one, vault.decision(one, "thaw", subjects.thaw(bytes.fromhex(first)))) for one in ("ga-on", "na-rae")
    ]
    for person, envelope in old:
        vault.freezing.thaw(envelope, person)
    second = vault.freeze()
    for person, envelope in old:
        with pytest.raises(RefusedError, match="DECISION_SUBJECT"):
            vault.freezing.thaw(envelope, person)
    unbound = vault.decision("ga-on", "thaw", subjects.thaw(bytes.fromhex(second)), freeze=first)
    with pytest.raises(RefusedError, match="GOVERNANCE_VERSION"):
        vault.freezing.thaw(unbound, "ga-on")
    assert frozen(vault) == second


def test_a_thaw_decision_that_has_expired_when_logged_does_not_count(vault: SecondVault) -> None:
    freeze_id = vault.freeze()
    subject = subjects.thaw(bytes.fromhex(freeze_id))
    soon = vault.clock.now_ms() + 60_000
    vault.freezing.thaw(vault.decision("ga-on", "thaw", subject, expires=soon), "ga-on")
    vault.operator.audit.misbehaviour.time_shift_ms = 60_000
    still, approvals, needed = vault.freezing.thaw(vault.decision("na-rae", "thaw", subject), "na-rae")
    assert (still, approvals, needed) == (True, 1, 2)
    assert frozen(vault) == freeze_id


def test_a_thaw_under_old_governance_does_not_count(vault: SecondVault) -> None:
    freeze_id = vault.freeze()
    vault.thaw("ga-on")
    vault.govern(vault.next_governance(issued=5), "ga-on", "na-rae")
    assert vault.thaw("na-rae") is True
    assert frozen(vault) == freeze_id
    assert vault.thaw("ga-on") is False


def test_nothing_is_thawed_that_is_not_frozen(vault: SecondVault) -> None:
    freeze_id = vault.freeze()
    envelope = vault.decision("da-som", "thaw", subjects.thaw(bytes.fromhex(freeze_id)))
    vault.thaw("ga-on", "na-rae")
    with pytest.raises(RefusedError, match="NOT_FROZEN"):
        vault.freezing.thaw(envelope, "da-som")


def test_approvals_under_a_freeze_or_an_older_governance_lapse(vault: SecondVault, packed: Packed) -> None:
    request = vault.approve(vault.ask(packed), "ga-on", "na-rae")
    vault.govern(vault.next_governance(issued=7), "ga-on", "da-som")
    with pytest.raises(RefusedError, match="REQUEST_UNDECIDED"):
        vault.collecting.collect(request.id)
    vault.approve(request, "ga-on", "na-rae")
    assert vault.collecting.collect(request.id)


def test_a_revocation_works_while_frozen_and_silent_and_ends_requests_at_once(
    vault: SecondVault, packed: Packed
) -> None:
    first, second = vault.ask(packed), vault.ask(vault.pack())
    vault.approve(first, "ga-on", "na-rae")
    vault.freeze()
    vault.operator.audit.misbehaviour.silent = True
    vault.revoke(packed)
    assert vault.find(first).state == "revoked"
    assert vault.find(second).state == "pending"
    vault.operator.audit.misbehaviour.silent = False
    vault.ledger.flush()
    assert vault.logged("document-revoked") == 1


def test_the_same_revocation_again_changes_nothing(vault: SecondVault, packed: Packed) -> None:
    payload = packed.dossier.payload
    received = vault.revocation(payload, json.loads(payload)["number"])
    vault.revoking.revoke(received)
    vault.revoking.revoke(received)
    vault.ledger.flush()
    assert vault.logged("document-revoked") == 1


def test_a_document_revoked_before_it_came_is_refused(vault: SecondVault) -> None:
    request = vault.request(document={"number": "2026-TEST-revoked"})
    payload = json.loads(request.received.content)["payload"]
    raw = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    vault.revoking.revoke(vault.revocation(raw, "2026-TEST-revoked"))
    with pytest.raises(RefusedError, match="DOCUMENT_REVOKED"):
        vault.create(request)


def test_nobody_takes_back_a_document_under_another_number(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    with pytest.raises(RefusedError, match="REVOKES_OTHER"):
        vault.revoking.revoke(vault.revocation(packed.dossier.payload, "2026-TEST-other"))
    assert vault.find(request).state == "pending"


def test_only_a_revocation_revokes(vault: SecondVault, packed: Packed) -> None:
    with pytest.raises(RefusedError, match="DOCUMENT_KIND"):
        vault.revoking.revoke(vault.second(packed))


def test_a_version_comes_into_force_with_its_quorum_and_the_log(vault: SecondVault) -> None:
    document = vault.next_governance(issued=3)
    vault.govern(document, "ga-on")
    assert vault.own.height == 1
    subject = governance.decision_subject(document)
    digest = governance.digest(document)
    vault.operator.audit.misbehaviour.silent = True
    second = vault.decision("na-rae", "governance", subject)
    with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
        vault.governing.decide(digest, second, "na-rae")
    assert vault.own.height == 1
    vault.operator.audit.misbehaviour.silent = False
    assert vault.governing.decide(digest, second, "na-rae") == (2, 2)
    assert vault.own.height == 2
    assert vault.governing.proposals() == []
    assert vault.governing.decide(digest, second, "na-rae") == (2, 2)
    assert vault.logged("governance") == 1


def test_governance_works_while_frozen(vault: SecondVault) -> None:
    vault.freeze()
    vault.govern(vault.next_governance(issued=3), "ga-on", "na-rae")
    assert vault.own.height == 2


def test_decisions_on_a_version_under_another_freeze_do_not_count(vault: SecondVault) -> None:
    document = vault.next_governance(issued=3)
    vault.govern(document, "ga-on")
    vault.freeze()
    late = vault.decision("na-rae", "governance", governance.decision_subject(document))
    assert vault.governing.decide(governance.digest(document), late, "na-rae") == (1, 2)
    assert vault.own.height == 1


def test_a_decision_that_has_expired_when_logged_puts_nothing_in_force(vault: SecondVault) -> None:
    document = vault.next_governance(issued=3)
    digest = vault.governing.propose(document)
    subject = governance.decision_subject(document)
    soon = vault.clock.now_ms() + 60_000
    vault.governing.decide(digest, vault.decision("ga-on", "governance", subject, expires=soon), "ga-on")
    vault.operator.audit.misbehaviour.time_shift_ms = 60_000
    with pytest.raises(RefusedError, match="GOVERNANCE_QUORUM"):
        vault.governing.decide(digest, vault.decision("na-rae", "governance", subject), "na-rae")
    assert vault.own.height == 1


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("GOVERNANCE_VERSION", {"version": 3}),
        ("GOVERNANCE_VERSION", {"previous": "00" * 32}),
        ("GOVERNANCE_VERSION", {"mesh": "other.mesh"}),
    ],
)
def test_only_the_next_version_is_proposed(vault: SecondVault, reason: str, changes: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match=reason):
        vault.governing.propose(vault.next_governance(**changes))


def test_proposals_that_follow_an_older_version_are_not_shown(vault: SecondVault) -> None:
    stale = vault.next_governance(issued=9)
    vault.govern(vault.next_governance(issued=3), "ga-on", "na-rae")
    with vault.database.writing() as connection:
        deciding.propose(connection, governance.digest(stale), stale)
    assert vault.governing.proposals() == []


def test_of_two_versions_with_a_quorum_one_is_logged(vault: SecondVault) -> None:
    one, other = vault.next_governance(issued=3), vault.next_governance(issued=4)
    digests = [vault.governing.propose(document) for document in (one, other)]
    for document, digest in zip((one, other), digests, strict=True):
        subject = governance.decision_subject(document)
        vault.governing.decide(digest, vault.decision("ga-on", "governance", subject), "ga-on")
    late = [
        vault.decision("na-rae", "governance", governance.decision_subject(document))
        for document in (one, other)
    ]
    vault.governing.decide(digests[0], late[0], "na-rae")
    with pytest.raises(RefusedError, match="GOVERNANCE_UNKNOWN"):
        vault.governing.decide(digests[1], late[1], "na-rae")
    assert vault.logged("governance") == 1


def test_a_silent_log_does_not_hold_back_a_revocation_of_a_second_document(
    vault: SecondVault, packed: Packed
) -> None:
    request = vault.approve(vault.ask(packed), "ga-on", "na-rae")
    vault.operator.audit.before_append = lambda _kind: (_ for _ in ()).throw(away())
    vault.revoke_request(request)
    with pytest.raises(RefusedError, match=r"REQUEST_STATE|DOCUMENT_REVOKED"):
        vault.collecting.collect(request.id)
