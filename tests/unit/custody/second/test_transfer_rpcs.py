"""Transfers of shares through their RPCs, and after a restore of the database."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import pytest

from custody_support.calls import caller
from custody_support.second import HOUR_MS, Packed, SecondVault
from custody_support.transfers import (
    LEAVING,
    STAYING,
    SUCCESSOR,
    Offer,
    accept,
    drafted,
    hand_in,
    held,
    holders,
    resealed,
    transfer,
    welcome,
)
from garim.api.custody.v1 import custody_pb2 as pb
from garim.custody.servicer_shares import ShareRpcs
from garim.kit.convert import envelope_from, envelope_to
from garim.statements import subjects
from garim.statements.refusal import RefusedError


@pytest.fixture
def rpcs(vault: SecondVault, packed: Packed) -> Any:
    welcome(vault)
    return cast("Any", ShareRpcs)(vault.core)


def listed(rpcs: Any, person: str, **options: Any) -> Any:
    return rpcs.ListShares(pb.ListSharesRequest(**options), caller(f"custodian/{person}"))


def offered(rpcs: Any, person: str = SUCCESSOR, **options: Any) -> Any:
    return rpcs.ListShareTransfers(pb.ListShareTransfersRequest(**options), caller(f"custodian/{person}"))


def asked(offer: Offer) -> pb.TransferSharesRequest:
    return pb.TransferSharesRequest(
        dossier_id=bytes.fromhex(offer.dossier),
        successor=offer.successor,
        decision=envelope_to(offer.envelope),
        shares=[pb.TransferredShare(subset=subset, sealed=sealed) for subset, sealed in offer.sealed.items()],
    )


def test_a_transfer_through_its_rpcs(vault: SecondVault, packed: Packed, rpcs: Any) -> None:
    (mine,) = listed(rpcs, LEAVING).dossiers
    assert mine.dossier_id.hex() == packed.dossier.id
    assert (mine.custodian, mine.needed, list(mine.holders)) == (LEAVING, 2, ["da-som", LEAVING, STAYING])
    assert {tuple(one.subset) for one in mine.shares} == {one.subset for one in held(vault, packed, LEAVING)}
    offer = drafted(vault, packed)
    answer = rpcs.TransferShares(asked(offer), caller(f"custodian/{LEAVING}"))
    assert answer.transfer.hex() == offer.digest
    (mine,) = listed(rpcs, LEAVING).dossiers
    assert (mine.successor, mine.transfer_expires_at_ms) == (SUCCESSOR, vault.clock.now_ms() + HOUR_MS)
    (one,) = offered(rpcs).transfers
    assert (one.leaving, one.custodian, one.dossier_id.hex()) == (LEAVING, LEAVING, packed.dossier.id)
    assert envelope_from(one.decision).payload == offer.envelope.payload
    digests = {share.subset: share.digest for share in held(vault, packed, LEAVING)}
    assert {tuple(share.subset): share.sealed for share in one.shares} == offer.sealed
    assert {tuple(share.subset): share.digest for share in one.shares} == digests
    decision = vault.decision(SUCCESSOR, "accept", subjects.acceptance(answer.transfer))
    taking = pb.AcceptSharesRequest(transfer=answer.transfer, decision=envelope_to(decision))
    rpcs.AcceptShares(taking, caller(f"custodian/{SUCCESSOR}"))
    rpcs.AcceptShares(taking, caller(f"custodian/{SUCCESSOR}"))
    assert list(listed(rpcs, LEAVING).dossiers) == list(offered(rpcs).transfers) == []
    (mine,) = listed(rpcs, SUCCESSOR).dossiers
    assert (mine.custodian, list(mine.holders)) == (LEAVING, ["da-som", STAYING, SUCCESSOR])


def test_everybody_sees_their_own_shares_and_offers_alone(
    vault: SecondVault, packed: Packed, rpcs: Any
) -> None:
    hand_in(vault, drafted(vault, packed))
    for person in (LEAVING, STAYING, "ra-on"):
        assert list(offered(rpcs, person).transfers) == []
    for person, count in ((STAYING, 1), ("ra-on", 0), (SUCCESSOR, 0)):
        found = listed(rpcs, person).dossiers
        assert len(found) == count
        assert all(person in share.subset for one in found for share in one.shares)
        assert not any(one.successor for one in found)


def test_lists_come_in_pages(vault: SecondVault, packed: Packed) -> None:
    both = [packed, vault.pack()]
    welcome(vault)
    rpcs = cast("Any", ShareRpcs)(vault.core)
    digests = {hand_in(vault, drafted(vault, one)) for one in both}
    found, seen, token = [], [], ""
    for _ in both:
        page = listed(rpcs, LEAVING, page_size=1, page_token=token)
        found += [one.dossier_id.hex() for one in page.dossiers]
        token = page.next_page_token
    assert (sorted(found), token) == (sorted(one.dossier.id for one in both), "")
    for _ in both:
        page = offered(rpcs, page_size=1, page_token=token)
        seen += [one.dossier_id.hex() for one in page.transfers]
        token = page.next_page_token
    assert (sorted(seen), token, len(digests)) == (sorted(found), "", 2)


@pytest.mark.parametrize("token", ["x", "AB" * 16, "ab" * 17, "ab" * 16 + "\n"])
def test_a_made_up_page_token_is_refused(rpcs: Any, token: str) -> None:
    for call in (lambda: listed(rpcs, LEAVING, page_token=token), lambda: offered(rpcs, page_token=token)):
        with pytest.raises(RefusedError, match="PAGE_TOKEN"):
            call()


def test_an_expired_offer_is_shown_to_nobody(vault: SecondVault, packed: Packed, rpcs: Any) -> None:
    hand_in(vault, drafted(vault, packed))
    vault.clock.advance(HOUR_MS)
    assert list(offered(rpcs).transfers) == []
    assert listed(rpcs, LEAVING).dossiers[0].successor == ""


def test_a_subset_named_twice_is_refused(vault: SecondVault, packed: Packed, rpcs: Any) -> None:
    request = asked(drafted(vault, packed))
    request.shares.append(request.shares[0])
    with pytest.raises(RefusedError, match="SHARES_INCOMPLETE"):
        rpcs.TransferShares(request, caller(f"custodian/{LEAVING}"))


@pytest.mark.parametrize("dossier_id", [b"", b"\x01" * 16, b"\xff" * 1000])
def test_an_unknown_dossier_or_offer_is_refused(
    vault: SecondVault, packed: Packed, rpcs: Any, dossier_id: bytes
) -> None:
    request = asked(drafted(vault, packed))
    request.dossier_id = dossier_id
    with pytest.raises(RefusedError, match="DOSSIER_UNKNOWN"):
        rpcs.TransferShares(request, caller(f"custodian/{LEAVING}"))
    taking = pb.AcceptSharesRequest(transfer=dossier_id)
    with pytest.raises(RefusedError, match="TRANSFER_UNKNOWN"):
        rpcs.AcceptShares(taking, caller(f"custodian/{SUCCESSOR}"))


def test_an_offer_for_one_dossier_hands_over_no_other(vault: SecondVault, packed: Packed) -> None:
    other = vault.pack()
    welcome(vault)
    offer = drafted(vault, packed)
    with pytest.raises(RefusedError, match="DECISION_SUBJECT"):
        hand_in(vault, dataclasses.replace(offer, dossier=other.dossier.id))
    mixed = dataclasses.replace(offer, sealed=resealed(vault, other))
    with pytest.raises(RefusedError, match="DECISION_SUBJECT"):
        hand_in(vault, mixed)
    accept(vault, hand_in(vault, offer))
    assert holders(vault, other)[LEAVING] == LEAVING


def test_a_restored_custody_knows_the_successor_and_not_the_leaving_one(vault: SecondVault) -> None:
    packed = vault.pack()
    welcome(vault)
    request = vault.deny(vault.ask(packed), LEAVING)
    vault.ledger.flush()
    backup = vault.backup()
    offer = transfer(vault, packed)
    vault.restore(backup)
    assert holders(vault, packed)[LEAVING] == LEAVING
    assert vault.restoring.attempt() > 0
    assert holders(vault, packed)[LEAVING] == SUCCESSOR
    assert {one.subset: one.sealed for one in held(vault, packed, SUCCESSOR)} == offer.sealed
    assert vault.thaw("da-som", STAYING) is False
    with pytest.raises(RefusedError, match="GOVERNANCE_VERSION"):
        vault.approve(request, SUCCESSOR)
    with pytest.raises(RefusedError, match="SHARES_MISSING"):
        hand_in(vault, dataclasses.replace(offer, envelope=vault.decision(LEAVING, "transfer", "ab" * 32)))
    later = vault.ask(packed, "P-33333-BBBBB")
    vault.approve(later, SUCCESSOR, STAYING)
    assert vault.opened(vault.collecting.collect(later.id), packed)


def test_an_acceptance_that_was_refused_after_its_log_entry_stops_no_recovery(vault: SecondVault) -> None:
    packed = vault.pack()
    welcome(vault)
    first, second = (hand_in(vault, drafted(vault, packed, leaving=one)) for one in (LEAVING, STAYING))
    backup = vault.backup()
    vault.before("share-acceptance", lambda: accept(vault, second))
    with pytest.raises(RefusedError, match="TRANSFER_SUCCESSOR"):
        accept(vault, first)
    vault.restore(backup)
    assert vault.restoring.attempt() > 0
    assert sorted(holders(vault, packed).values()) == sorted(["da-som", LEAVING, SUCCESSOR])


def test_a_restore_from_before_the_dossier_has_no_place_to_hand_over(vault: SecondVault) -> None:
    backup = vault.backup()
    packed = vault.pack()
    welcome(vault)
    transfer(vault, packed)
    vault.restore(backup)
    assert vault.restoring.attempt() > 0
    assert holders(vault, packed) == {}
