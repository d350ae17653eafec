"""Attacks on custodians' decisions and shares, and on what custody has without them."""

from __future__ import annotations

import dataclasses
import secrets
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custody_support.second import HOUR_MS, NAMES, PEOPLE, Packed, SecondVault
from custody_support.vault import MESH
from garim.custody import jobs
from garim.custody.kinds import DOSSIER
from garim.custody.tables import dossiers, unmask
from garim.custody.tables.unmask import ApprovedShare, KeptDecision, UnmaskRequest
from garim.kit.providers import KeyHandle
from garim.sealing import hpke, quorum
from garim.sealing.secret import Secret
from garim.statements import dsse
from garim.statements.dsse import Envelope
from garim.statements.refusal import RefusedError


def refused(
    vault: SecondVault, request: UnmaskRequest, reason: str, envelope: Envelope, person: str, shares: Any
) -> None:
    with pytest.raises(RefusedError) as caught:
        vault.decisions.decide(request.id, envelope, shares, person)
    assert caught.value.reason == reason, caught.value
    vault_denies(vault, request, "REQUEST_UNDECIDED")


def vault_denies(vault: SecondVault, request: UnmaskRequest, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        vault.collecting.collect(request.id)
    assert vault.logged("identities-released") == 0


def test_k_minus_1_custodians_open_nothing(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    vault.approve(request, "ga-on")
    vault_denies(vault, request, "REQUEST_UNDECIDED")


def test_one_custodian_counts_once(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    vault.approve(request, "ga-on")
    again = vault.decision("ga-on", "approve", request.subject, reason="TEST 다시")
    refused(vault, request, "DECISION_REPEATED", again, "ga-on", vault.shares(request, "ga-on"))


def test_another_persons_decision_counts_for_nobody(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    vault.approve(request, "ga-on")
    theirs = vault.decision("ga-on", "approve", request.subject, reason="TEST 다시")
    refused(vault, request, "STATEMENT_SIGNATURE", theirs, "na-rae", vault.shares(request, "na-rae"))
    key = vault.operator.governance.custodian_keys["na-rae"]
    named = vault.decision("ga-on", "approve", request.subject, key=key)
    refused(vault, request, "DECISION_PERSON", named, "na-rae", vault.shares(request, "na-rae"))


def test_who_is_no_custodian_decides_nothing(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    vault.approve(request, "ga-on")
    forged = vault.decision("ra-on", "approve", request.subject, key=Ed25519PrivateKey.generate())
    refused(vault, request, "DECISION_PERSON", forged, "ra-on", [])


def test_who_filed_the_request_does_not_approve_it(vault: SecondVault, packed: Packed) -> None:
    received = vault.second(packed)
    request = vault.unmasking.open(received, vault.unmask_grant(received, filer="na-rae"))
    vault.approve(request, "ga-on")
    own = vault.decision("na-rae", "approve", request.subject)
    refused(vault, request, "DECISION_PERSON", own, "na-rae", vault.shares(request, "na-rae"))


def test_a_denial_replayed_as_an_approval_is_a_denial(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    vault.approve(request, "ga-on")
    denial = vault.decision("na-rae", "deny", request.subject)
    vault.decisions.decide(request.id, denial, vault.shares(request, "na-rae"), "na-rae")
    vault_denies(vault, request, "REQUEST_UNDECIDED")


def test_a_kept_denial_relabelled_in_the_database_approves_nothing(
    vault: SecondVault, packed: Packed
) -> None:
    request = vault.ask(packed)
    vault.approve(request, "ga-on")
    denial = vault.decision("na-rae", "deny", request.subject)
    kept = KeptDecision("na-rae", "approve", dsse.to_bytes(denial), vault.clock.now_ms())
    with vault.database.writing() as connection:
        brought = [
            ApprovedShare(subset, "na-rae", share) for subset, share in vault.shares(request, "na-rae")
        ]
        unmask.decide(connection, request.id, "00" * 32, kept, brought)
    vault_denies(vault, request, "REQUEST_UNDECIDED")


@pytest.mark.parametrize("action", ["review-approve", "thaw", "governance", "cancel"])
def test_a_decision_of_another_kind_approves_nothing(vault: SecondVault, packed: Packed, action: Any) -> None:
    request = vault.ask(packed)
    vault.approve(request, "ga-on")
    other = vault.decision("na-rae", action, request.subject)
    refused(vault, request, "DECISION_ACTION", other, "na-rae", vault.shares(request, "na-rae"))


def test_a_decision_on_another_request_does_not_count_here(vault: SecondVault, packed: Packed) -> None:
    request, other = vault.ask(packed), vault.ask(packed, NAMES[1])
    vault.approve(request, "ga-on")
    elsewhere = vault.decision("na-rae", "approve", other.subject)
    refused(vault, request, "DECISION_SUBJECT", elsewhere, "na-rae", vault.shares(request, "na-rae"))


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("GOVERNANCE_VERSION", {"governance": 2}),
        ("GOVERNANCE_VERSION", {"freeze": "ab" * 16}),
        ("STATEMENT_MESH", {"mesh": "other.mesh"}),
        ("STATEMENT_EXPIRED", {"expires": 1}),
    ],
)
def test_a_decision_that_does_not_count_now_is_refused(
    vault: SecondVault, packed: Packed, reason: str, changes: dict[str, Any]
) -> None:
    request = vault.ask(packed)
    vault.approve(request, "ga-on")
    wrong = vault.decision("na-rae", "approve", request.subject, **changes)
    refused(vault, request, reason, wrong, "na-rae", vault.shares(request, "na-rae"))


@pytest.mark.parametrize("offset_ms", [(-25 * HOUR_MS, HOUR_MS), (0, 25 * HOUR_MS), (HOUR_MS, 2 * HOUR_MS)])
def test_a_decision_lives_a_day_at_most_and_is_not_made_ahead(
    vault: SecondVault, packed: Packed, offset_ms: tuple[int, int]
) -> None:
    request = vault.ask(packed)
    vault.approve(request, "ga-on")
    now_ms = vault.clock.now_ms()
    wrong = vault.decision(
        "na-rae", "approve", request.subject, issued=now_ms + offset_ms[0], expires=now_ms + offset_ms[1]
    )
    refused(vault, request, "GOVERNANCE_VERSION", wrong, "na-rae", vault.shares(request, "na-rae"))


@pytest.mark.parametrize("changes", [{"governance": 2}, {"freeze": "ab" * 16}])
def test_a_denial_of_another_governance_or_freeze_is_refused_too(
    vault: SecondVault, packed: Packed, changes: dict[str, Any]
) -> None:
    request = vault.ask(packed)
    vault.approve(request, "ga-on")
    wrong = vault.decision("na-rae", "deny", request.subject, **changes)
    refused(vault, request, "GOVERNANCE_VERSION", wrong, "na-rae", [])


def test_a_strangers_approval_written_into_the_database_counts_nothing(
    vault: SecondVault, packed: Packed
) -> None:
    request = vault.ask(packed)
    vault.approve(request, "ga-on")
    approval = vault.decision("ra-on", "approve", request.subject, key=Ed25519PrivateKey.generate())
    kept = KeptDecision("ra-on", "approve", dsse.to_bytes(approval), vault.clock.now_ms())
    shares = [ApprovedShare(subset, "na-rae", share) for subset, share in vault.shares(request, "na-rae")]
    with vault.database.writing() as connection:
        unmask.decide(connection, request.id, "00" * 32, kept, shares)
    vault_denies(vault, request, "REQUEST_UNDECIDED")


def test_a_denial_gives_its_reason(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    silent = vault.decision("na-rae", "deny", request.subject, reason=" ")
    refused(vault, request, "DECISION_REASON", silent, "na-rae", [])


def test_an_approval_brings_every_share(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    vault.approve(request, "ga-on")
    shares = vault.shares(request, "na-rae")
    envelope = vault.decision("na-rae", "approve", request.subject)
    for wrong in ([], shares[:1], [shares[0], shares[0]], [*shares, shares[0]]):
        refused(vault, request, "SHARES_INCOMPLETE", envelope, "na-rae", wrong)


def test_a_wrong_share_is_told_from_a_right_one(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    vault.approve(request, "ga-on")
    right = vault.shares(request, "na-rae")
    with Secret.random() as wrong:
        forged = quorum.reseal_for_request(
            quorum.OpenShare(right[0][0], "na-rae", wrong),
            request.public_key,
            MESH,
            bytes.fromhex(request.id),
            bytes.fromhex(request.dossier_id),
        )
    shares = [(right[0][0], forged), right[1]]
    envelope = vault.decision("na-rae", "approve", request.subject)
    refused(vault, request, "SHARE_WRONG", envelope, "na-rae", shares)


@pytest.mark.parametrize("bound_to", ["request", "dossier"])
def test_shares_sealed_for_another_request_or_dossier_do_not_open(
    vault: SecondVault, packed: Packed, bound_to: str
) -> None:
    request = vault.ask(packed)
    vault.approve(request, "ga-on")
    shares = vault.shares(request, "na-rae", **{f"bound_{bound_to}": secrets.token_bytes(16)})
    envelope = vault.decision("na-rae", "approve", request.subject)
    refused(vault, request, "SEALING_OPEN", envelope, "na-rae", shares)


def test_shares_of_another_request_are_no_use_here(vault: SecondVault, packed: Packed) -> None:
    request, other = vault.ask(packed), vault.ask(packed, NAMES[1])
    vault.approve(request, "ga-on")
    replayed = vault.approve(other, "na-rae")
    with vault.database.reading() as connection:
        brought = unmask.shares(connection, replayed.id)
    shares = [(one.subset, one.sealed) for one in brought if one.custodian == "na-rae"]
    envelope = vault.decision("na-rae", "approve", request.subject)
    refused(vault, request, "SEALING_OPEN", envelope, "na-rae", shares)


def test_another_custodians_shares_are_no_use_here(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    vault.approve(request, "ga-on")
    theirs = vault.shares(request, "ga-on")
    envelope = vault.decision("na-rae", "approve", request.subject)
    refused(vault, request, "SHARES_INCOMPLETE", envelope, "na-rae", theirs)


def test_approvals_written_into_the_database_without_shares_open_nothing(
    vault: SecondVault, packed: Packed
) -> None:
    request = vault.ask(packed)
    vault.approve(request, "ga-on")
    approval = vault.decision("na-rae", "approve", request.subject)
    kept = KeptDecision("na-rae", "approve", dsse.to_bytes(approval), vault.clock.now_ms())
    with vault.database.writing() as connection:
        unmask.decide(connection, request.id, "00" * 32, kept, ())
    vault_denies(vault, request, "REQUEST_UNDECIDED")


def test_shares_of_which_custody_keeps_no_digest_open_nothing(vault: SecondVault, packed: Packed) -> None:
    """The opener itself refuses: whatever the main process asks for, a subset must be whole and right."""
    request = vault.ask(packed)
    vault.approve(request, "ga-on", "na-rae")
    captured: list[jobs.OpenIdentities] = []
    plain = vault.opener.run

    def run(job: bytes) -> bytes:
        if b'"open-identities"' in job:
            captured.append(jobs.OpenIdentities.model_validate_json(job))
        return plain(job)

    vault.opener.run = run  # type: ignore[method-assign]
    vault.collecting.collect(request.id)
    job = captured[0]
    for wrong, reason in (
        (job.shares[:1], "SHARES_INCOMPLETE"),
        ((job.shares[0], job.shares[0]), "SHARES_INCOMPLETE"),
        ((job.shares[0].model_copy(update={"digest": bytes(32)}), job.shares[1]), "SHARE_WRONG"),
    ):
        with pytest.raises(RefusedError, match=reason):
            plain(job.model_copy(update={"shares": wrong}).encode())


def test_custodys_database_provider_and_memory_without_shares_open_nothing(
    vault: SecondVault, packed: Packed
) -> None:
    """After a release everything that custody still has is tried: nothing leads to the dossier's key."""
    request = vault.ask(packed)
    vault.approve(request, "ga-on", "na-rae")
    vault.collecting.collect(request.id)
    vault.keeper.tick()
    assert vault.find(request).wrapped_private is None
    with vault.database.reading() as connection:
        assert unmask.shares(connection, request.id) == []
        dossier = dossiers.find(connection, packed.dossier.id)
        kept = dossiers.shares(connection, packed.dossier.id)
    assert dossier is not None
    assert dossier.wrapped_private is not None
    assert dossier.sealed_secret is not None
    under_q = vault.provider.unwrap(KeyHandle(DOSSIER, dossier.id), dossier.wrapped_private, b"private")
    dossier_id = bytes.fromhex(dossier.id)
    tried = [one.digest for one in kept] + [dossier.sealed_secret[:32], bytes(under_q.buffer[:32])]
    for one in tried:
        with pytest.raises(RefusedError, match="SEALING_OPEN"), Secret(bytearray(one)) as q:
            quorum.unwrap_private(q, bytes(under_q.buffer), MESH, dossier_id)
    held = [handle for kind in ("epoch", "dossier", "recovery") for handle in vault.provider.list(kind)]
    assert held
    raw = (vault.folder / "custody.db").read_bytes() + (vault.folder / "custody.db-wal").read_bytes()
    for value in packed.plain.values():
        assert value not in raw


def test_a_secret_that_redaction_sealed_to_its_own_key_opens_nothing_and_fails_cleanly(
    vault: SecondVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, own = hpke.generate()
    plain = vault.create

    def create(request: Any) -> Any:
        return dataclasses.replace(plain(request), public_key=own)

    monkeypatch.setattr(vault, "create", create)
    packed = vault.pack()
    request = vault.ask(packed)
    vault.approve(request, "ga-on", "na-rae")
    with private, pytest.raises(RefusedError, match="SEALING_OPEN"):
        vault.collecting.collect(request.id)
    assert vault.find(request).state == "releasing"
    assert vault.find(request).answer is None


def test_only_the_custodians_of_governance_now_count(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    vault.approve(request, *PEOPLE[:2])
    current = vault.own.current()
    fresh = current.custodians[0].model_copy(
        update={"person": "sae-byeok", "decision_key": current.reviewers[0].decision_key}
    )
    people = (*current.custodians[1:], fresh)
    vault.govern(vault.next_governance(custodians=people, reviewers=current.reviewers[1:]), "ga-on", "na-rae")
    vault_denies(vault, request, "REQUEST_UNDECIDED")
    left = vault.decision(PEOPLE[0], "approve", request.subject)
    with pytest.raises(RefusedError, match="DECISION_PERSON"):
        vault.decisions.decide(request.id, left, vault.shares(request, PEOPLE[0]), PEOPLE[0])
