"""A leaving custodian's place goes to a successor; k people stay k people."""

from __future__ import annotations

import dataclasses

import pytest

from custody_support.second import HOUR_MS, NAMES, Packed, SecondVault
from custody_support.transfers import (
    LEAVING,
    STAYING,
    SUCCESSOR,
    accept,
    dismiss,
    drafted,
    hand_in,
    held,
    holders,
    resealed,
    transfer,
    waiting,
    welcome,
)
from garim.custody.deciding_unmask import tally
from garim.custody.tables import dossiers, transfers, unmask
from garim.custody.transferring import ShareTransfers
from garim.documents.policy import DAY_MS
from garim.statements import subjects
from garim.statements.refusal import RefusedError
from garim.testing.operator import away


@pytest.fixture(autouse=True)
def _welcomed(vault: SecondVault, packed: Packed) -> None:
    """The dossier is older than the successor."""
    welcome(vault)


def test_a_successor_opens_what_the_leaving_custodian_could(vault: SecondVault, packed: Packed) -> None:
    transfer(vault, packed)
    dismiss(vault)
    request = vault.ask(packed)
    vault.approve(request, SUCCESSOR, STAYING)
    assert vault.opened(vault.collecting.collect(request.id), packed)


def test_the_leaving_custodians_approval_counts_no_more(vault: SecondVault, packed: Packed) -> None:
    before = vault.ask(packed)
    vault.approve(before, LEAVING, STAYING)
    transfer(vault, packed)
    with pytest.raises(RefusedError, match="REQUEST_UNDECIDED"):
        vault.collecting.collect(before.id)
    with vault.database.reading() as connection:
        assert {one.custodian for one in unmask.shares(connection, before.id)} == {STAYING}
    with pytest.raises(RefusedError, match="SHARES_INCOMPLETE"):
        vault.approve(before, LEAVING, reason="TEST 다시")
    vault.approve(before, SUCCESSOR)
    assert vault.opened(vault.collecting.collect(before.id), packed)


def test_a_release_under_way_stops_where_a_place_changes_hands(vault: SecondVault, packed: Packed) -> None:
    request = vault.ask(packed)
    vault.approve(request, LEAVING, STAYING)
    digest = hand_in(vault, drafted(vault, packed))
    vault.while_opening(lambda: accept(vault, digest))
    with pytest.raises(RefusedError, match="REQUEST_UNDECIDED"):
        vault.collecting.collect(request.id)
    assert vault.find(request).answer is None


def test_before_the_acceptance_nothing_changes(vault: SecondVault, packed: Packed) -> None:
    before = held(vault, packed)
    digest = hand_in(vault, drafted(vault, packed))
    assert held(vault, packed) == before
    assert waiting(vault) == [digest]
    request = vault.ask(packed)
    with pytest.raises(RefusedError, match="SHARES_INCOMPLETE"):
        vault.approve(request, SUCCESSOR)
    vault.approve(request, LEAVING, STAYING)
    assert vault.collecting.collect(request.id)


def test_the_former_holders_shares_are_gone_and_the_digests_stay(vault: SecondVault, packed: Packed) -> None:
    before = held(vault, packed)
    offer = transfer(vault, packed)
    after = held(vault, packed)
    assert [(one.subset, one.custodian, one.digest) for one in after] == [
        (one.subset, one.custodian, one.digest) for one in before
    ]
    assert {one.subset: one.sealed for one in held(vault, packed, SUCCESSOR)} == offer.sealed
    assert held(vault, packed, LEAVING) == []
    with vault.database.reading() as connection:
        assert transfers.shares(connection, offer.digest) == {}
    assert waiting(vault) == []


def test_both_steps_are_logged_before_they_count(vault: SecondVault, packed: Packed) -> None:
    offer = drafted(vault, packed)
    for kind, act in (
        ("share-transfer", lambda: hand_in(vault, offer)),
        ("share-acceptance", lambda: accept(vault, offer.digest)),
    ):
        vault.operator.audit.misbehaviour.silent = True
        with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
            act()
        assert holders(vault, packed)[LEAVING] == LEAVING
        vault.operator.audit.misbehaviour.silent = False
        act()
        assert vault.logged(kind) >= 1
    assert holders(vault, packed)[LEAVING] == SUCCESSOR


def test_each_step_can_be_sent_again(vault: SecondVault, packed: Packed) -> None:
    offer = drafted(vault, packed)
    assert hand_in(vault, offer) == hand_in(vault, offer) == offer.digest
    envelope = accept(vault, offer.digest)
    ShareTransfers(vault.core).accept(offer.digest, envelope, SUCCESSOR)
    assert hand_in(vault, offer) == offer.digest
    assert (vault.logged("share-transfer"), vault.logged("share-acceptance")) == (1, 1)
    assert waiting(vault) == []


def test_an_old_offer_hands_nothing_over_again(vault: SecondVault, packed: Packed) -> None:
    offer = transfer(vault, packed)
    transfer(vault, packed, SUCCESSOR, LEAVING)
    assert hand_in(vault, offer) == offer.digest
    assert waiting(vault) == []
    with pytest.raises(RefusedError, match="TRANSFER_STATE"):
        accept(vault, offer.digest, reason="TEST 다시")
    assert holders(vault, packed)[LEAVING] == LEAVING


def test_a_later_offer_ends_an_earlier_one(vault: SecondVault, packed: Packed) -> None:
    welcome(vault, "ya-eun")
    first = drafted(vault, packed)
    hand_in(vault, first)
    second = drafted(vault, packed, successor="ya-eun")
    hand_in(vault, second)
    assert (waiting(vault), waiting(vault, "ya-eun")) == ([], [second.digest])
    with pytest.raises(RefusedError, match="TRANSFER_STATE"):
        accept(vault, first.digest)
    with pytest.raises(RefusedError, match="TRANSFER_STATE"):
        hand_in(vault, first)
    accept(vault, second.digest, "ya-eun")
    assert holders(vault, packed)[LEAVING] == "ya-eun"


def test_nobody_fills_two_places_of_one_dossier(vault: SecondVault, packed: Packed) -> None:
    for successor in (STAYING, LEAVING):
        with pytest.raises(RefusedError, match="TRANSFER_SUCCESSOR"):
            hand_in(vault, drafted(vault, packed, successor=successor))
    offers = [drafted(vault, packed), drafted(vault, packed, leaving=STAYING)]
    first, second = (hand_in(vault, one) for one in offers)
    accept(vault, first)
    with pytest.raises(RefusedError, match="TRANSFER_SUCCESSOR"):
        accept(vault, second)
    assert sorted(holders(vault, packed).values()) == ["da-som", STAYING, SUCCESSOR]


def test_two_acceptances_at_once_give_one_place(vault: SecondVault, packed: Packed) -> None:
    first = hand_in(vault, drafted(vault, packed))
    second = hand_in(vault, drafted(vault, packed, leaving=STAYING))
    vault.before("share-acceptance", lambda: accept(vault, second))
    with pytest.raises(RefusedError, match="TRANSFER_SUCCESSOR"):
        accept(vault, first)
    assert holders(vault, packed)[LEAVING] == LEAVING


def test_a_successor_counts_once_beside_the_one_they_follow(vault: SecondVault, packed: Packed) -> None:
    transfer(vault, packed)
    request = vault.ask(packed)
    vault.approve(request, SUCCESSOR)
    with pytest.raises(RefusedError, match="REQUEST_UNDECIDED"):
        vault.collecting.collect(request.id)
    counted = tally(vault.core, request, vault.clock.now_ms())
    assert counted.able == {"da-som", STAYING, SUCCESSOR}


@pytest.mark.parametrize("successor", ["ra-on", "", "so-ra2"])
def test_a_successor_is_a_custodian_of_the_governance_in_force(
    vault: SecondVault, packed: Packed, successor: str
) -> None:
    offer = dataclasses.replace(drafted(vault, packed), successor=successor)
    with pytest.raises(RefusedError, match="TRANSFER_SUCCESSOR"):
        hand_in(vault, offer)


def test_only_who_holds_a_place_offers_it(vault: SecondVault, packed: Packed) -> None:
    welcome(vault, "ya-eun")
    offer = drafted(vault, packed, successor="ya-eun")
    mine = vault.decision(SUCCESSOR, "transfer", "ab" * 32)
    with pytest.raises(RefusedError, match="SHARES_MISSING"):
        hand_in(vault, dataclasses.replace(offer, envelope=mine), SUCCESSOR)
    theirs = vault.decision(LEAVING, "transfer", "ab" * 32)
    with pytest.raises(RefusedError, match="STATEMENT_SIGNATURE"):
        hand_in(
            vault,
            dataclasses.replace(offer, envelope=theirs, sealed=resealed(vault, packed, STAYING)),
            STAYING,
        )
    assert waiting(vault, "ya-eun") == []


def test_a_former_holder_offers_nothing(vault: SecondVault, packed: Packed) -> None:
    welcome(vault, "ya-eun")
    late = drafted(vault, packed, successor="ya-eun")
    transfer(vault, packed)
    with pytest.raises(RefusedError, match="SHARES_MISSING"):
        hand_in(vault, late)


def test_an_offer_of_a_place_that_went_to_another_meanwhile_is_refused(
    vault: SecondVault, packed: Packed
) -> None:
    welcome(vault, "ya-eun")
    first = hand_in(vault, drafted(vault, packed))
    late = drafted(vault, packed, successor="ya-eun")
    vault.before("share-transfer", lambda: accept(vault, first))
    with pytest.raises(RefusedError, match="TRANSFER_STATE"):
        hand_in(vault, late)
    assert waiting(vault, "ya-eun") == []


def test_the_same_offer_twice_at_once_is_one_offer(vault: SecondVault, packed: Packed) -> None:
    offer = drafted(vault, packed)
    vault.before("share-transfer", lambda: hand_in(vault, offer))
    assert hand_in(vault, offer) == offer.digest
    assert waiting(vault) == [offer.digest]
    accept(vault, offer.digest)


def test_only_the_named_successor_accepts(vault: SecondVault, packed: Packed) -> None:
    digest = hand_in(vault, drafted(vault, packed))
    for caller in ("da-som", LEAVING):
        with pytest.raises(RefusedError, match="TRANSFER_UNKNOWN"):
            accept(vault, digest, caller)
    with pytest.raises(RefusedError, match="STATEMENT_SIGNATURE"):
        accept(vault, digest, key=vault.operator.governance.custodian_keys[LEAVING])
    other = vault.decision(SUCCESSOR, "accept", subjects.acceptance(bytes(32)))
    approval = vault.decision(SUCCESSOR, "approve", subjects.acceptance(bytes.fromhex(digest)))
    for wrong, reason in ((other, "DECISION_SUBJECT"), (approval, "DECISION_ACTION")):
        with pytest.raises(RefusedError, match=reason):
            ShareTransfers(vault.core).accept(digest, wrong, SUCCESSOR)
    assert holders(vault, packed)[LEAVING] == LEAVING


def test_an_offer_brings_every_share_and_names_these_very_ones(vault: SecondVault, packed: Packed) -> None:
    sealed = resealed(vault, packed)
    first = next(iter(sealed))
    with pytest.raises(RefusedError, match="SHARES_INCOMPLETE"):
        hand_in(vault, drafted(vault, packed, sealed={first: sealed[first]}))
    with pytest.raises(RefusedError, match="SHARES_INCOMPLETE"):
        hand_in(
            vault, dataclasses.replace(drafted(vault, packed), sealed={**sealed, ("da-som", STAYING): b"x"})
        )
    offer = drafted(vault, packed)
    with pytest.raises(RefusedError, match="DECISION_SUBJECT"):
        hand_in(vault, dataclasses.replace(offer, sealed=resealed(vault, packed)))


@pytest.mark.parametrize("step", ["offer", "acceptance"])
def test_nothing_changes_hands_while_frozen(vault: SecondVault, packed: Packed, step: str) -> None:
    digest = hand_in(vault, drafted(vault, packed)) if step == "acceptance" else ""
    vault.freeze(STAYING)
    with pytest.raises(RefusedError, match="FROZEN"):
        accept(vault, digest) if digest else hand_in(vault, drafted(vault, packed))
    assert holders(vault, packed)[LEAVING] == LEAVING


def test_a_freeze_while_an_acceptance_is_logged_stops_it(vault: SecondVault, packed: Packed) -> None:
    digest = hand_in(vault, drafted(vault, packed))
    vault.before("share-acceptance", lambda: vault.freeze(STAYING))
    with pytest.raises(RefusedError, match="FROZEN"):
        accept(vault, digest)
    assert holders(vault, packed)[LEAVING] == LEAVING


def test_an_offer_lapses_with_its_governance_version(vault: SecondVault, packed: Packed) -> None:
    digest = hand_in(vault, drafted(vault, packed))
    dismiss(vault)
    with pytest.raises(RefusedError, match="GOVERNANCE_VERSION"):
        accept(vault, digest)
    assert holders(vault, packed)[LEAVING] == LEAVING


def test_an_offer_lapses_with_its_time_and_its_shares_go(vault: SecondVault, packed: Packed) -> None:
    digest = hand_in(vault, drafted(vault, packed))
    vault.clock.advance(HOUR_MS)
    with pytest.raises(RefusedError, match="GOVERNANCE_VERSION"):
        accept(vault, digest)
    vault.keeper.tick()
    with vault.database.reading() as connection:
        kept = transfers.find(connection, digest)
        assert transfers.shares(connection, digest) == {}
    assert kept is not None
    assert kept.state == "ended"
    with pytest.raises(RefusedError, match="TRANSFER_STATE"):
        accept(vault, digest)


def test_an_acceptance_expired_at_the_logs_time_does_not_count(vault: SecondVault, packed: Packed) -> None:
    digest = hand_in(vault, drafted(vault, packed))
    vault.operator.audit.misbehaviour.time_shift_ms = 60_000
    with pytest.raises(RefusedError, match="GOVERNANCE_VERSION"):
        accept(vault, digest, expires=vault.clock.now_ms() + 60_000)
    assert holders(vault, packed)[LEAVING] == LEAVING


def test_an_offer_expired_at_the_logs_time_is_not_kept(vault: SecondVault, packed: Packed) -> None:
    vault.operator.audit.misbehaviour.time_shift_ms = 60_000
    with pytest.raises(RefusedError, match="GOVERNANCE_VERSION"):
        hand_in(vault, drafted(vault, packed, expires=vault.clock.now_ms() + 60_000))
    assert waiting(vault) == []


def test_the_end_of_a_dossier_ends_its_offers(vault: SecondVault) -> None:
    short = vault.pack(unmask_until=vault.clock.now_ms() + HOUR_MS // 2)
    other = drafted(vault, short, successor=STAYING)
    vault.clock.advance(HOUR_MS // 2)
    with pytest.raises(RefusedError, match="DOSSIER_EXPIRED"):
        hand_in(vault, other)


def test_a_destroyed_dossiers_offers_are_destroyed(vault: SecondVault, packed: Packed) -> None:
    digest = hand_in(vault, drafted(vault, packed, expires=vault.clock.now_ms() + DAY_MS))
    vault.clock.advance(packed.dossier.unmask_until_ms - vault.clock.now_ms())
    vault.keeper.tick()
    with vault.database.reading() as connection:
        assert transfers.find(connection, digest) is None
        assert transfers.shares(connection, digest) == {}
        assert dossiers.holders(connection, packed.dossier.id) == {}


def test_a_revoked_dossiers_shares_stay(vault: SecondVault, packed: Packed) -> None:
    digest = hand_in(vault, drafted(vault, packed))
    vault.revoke(packed)
    with pytest.raises(RefusedError, match="DOCUMENT_REVOKED"):
        accept(vault, digest)


def test_who_denied_hands_no_approval_on(vault: SecondVault, packed: Packed) -> None:
    request = vault.deny(vault.ask(packed), LEAVING)
    transfer(vault, packed)
    vault.approve(request, STAYING)
    with pytest.raises(RefusedError, match="GOVERNANCE_VERSION"):
        vault.approve(request, SUCCESSOR)
    assert vault.deny(request, "da-som").state == "denied"
    vault.clock.advance(1)
    later = vault.ask(packed, NAMES[1])
    vault.deny(later, LEAVING)
    vault.approve(later, SUCCESSOR, STAYING)
    assert vault.opened(vault.collecting.collect(later.id), packed)


def test_a_successors_denial_counts_like_anybodys(vault: SecondVault, packed: Packed) -> None:
    transfer(vault, packed)
    request = vault.ask(packed)
    assert vault.deny(request, SUCCESSOR).state == "pending"
    assert vault.deny(request, STAYING).state == "denied"


def test_a_wrong_share_is_attributed_at_the_approval(vault: SecondVault, packed: Packed) -> None:
    sealed = resealed(vault, packed)
    first, second = sealed
    offer = drafted(vault, packed, sealed={first: sealed[second], second: sealed[first]})
    accept(vault, hand_in(vault, offer))
    with pytest.raises(RefusedError, match="SEALING_OPEN"):
        vault.approve(vault.ask(packed), SUCCESSOR)


def test_an_offer_whose_log_answer_was_lost_is_completed(vault: SecondVault, packed: Packed) -> None:
    offer = drafted(vault, packed)

    def silent() -> None:
        raise away()

    vault.before("share-transfer", silent)
    with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
        hand_in(vault, offer)
    hand_in(vault, offer)
    vault.before("share-acceptance", silent)
    with pytest.raises(RefusedError, match="LOG_UNAVAILABLE"):
        accept(vault, offer.digest)
    accept(vault, offer.digest)
    assert holders(vault, packed)[LEAVING] == SUCCESSOR
