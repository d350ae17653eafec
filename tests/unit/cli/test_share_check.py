"""What the clients of a leaving custodian and of the successor check before anything is signed."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.cli.share_check import Offer, check_offer, custodian_of, reseal
from garim.sealing import hpke, quorum
from garim.sealing.quorum import SealedShare
from garim.sealing.secret import Secret
from garim.statements import subjects
from garim.statements.decisions import Decision
from garim.statements.dsse import Envelope
from garim.statements.governance import Custodian, Governance
from garim.statements.refusal import RefusedError

MESH = "demo.example"
NOW_MS = 1_773_000_000_000
DOSSIER, OTHER = b"\x07" * 16, b"\x08" * 16
LEAVING, SUCCESSOR = "ga-on", "so-ra"
NAMES = ("da-som", "ga-on", "na-rae", "so-ra")


class World:
    """Three custodians of two dossiers, and a fourth who came later."""

    def __init__(self) -> None:
        self.signing = {name: Ed25519PrivateKey.generate() for name in NAMES}
        self.sealing = {name: hpke.generate() for name in NAMES}
        listed = tuple(
            Custodian(
                person=name,
                decision_key=base64.b64encode(self.signing[name].public_key().public_bytes_raw()).decode(),
                share_key=base64.b64encode(self.sealing[name][1]).decode(),
            )
            for name in NAMES
        )
        by_name = {one.person: one for one in listed}
        made: Any = SimpleNamespace(mesh=MESH, version=2, custodians=listed, custodian=by_name.get)
        self.governance = cast("Governance", made)
        publics = {name: self.sealing[name][1] for name in NAMES[:3]}
        self.split = {
            dossier: quorum.split(Secret.random(), MESH, dossier, publics, 2) for dossier in (DOSSIER, OTHER)
        }

    def own(self, person: str = LEAVING, dossier: bytes = DOSSIER) -> list[SealedShare]:
        return [one for one in self.split[dossier] if one.custodian == person]

    def decision(self, subject: str, person: str = LEAVING, **changes: Any) -> Envelope:
        key = self.signing[changes.pop("key", person)]
        members = {
            "mesh": MESH,
            "purpose": "decision",
            "issued": NOW_MS,
            "expires": NOW_MS + 1000,
            "checkpoint": None,
            "action": "transfer",
            "subject": subject,
            "reason": "",
            "person": person,
            "governance": 2,
            "freeze": None,
        }
        return Decision.model_validate({**members, **changes}).sign(key.sign)

    def offer(self, **changes: Any) -> Offer:
        """Return an offer as custody hands it out."""
        own = self.own()
        made = reseal(
            own,
            self.sealing[LEAVING][0],
            successor=custodian_of(self.governance, SUCCESSOR),
            mesh=MESH,
            dossier=DOSSIER,
        )
        shares = tuple(
            dataclasses.replace(one, sealed=made.shares[one.subset], holder=SUCCESSOR) for one in own
        )
        return Offer(DOSSIER, LEAVING, LEAVING, self.decision(made.subject, **changes), shares)

    def check(self, offer: Offer, now_ms: int = NOW_MS) -> None:
        check_offer(
            offer, self.sealing[SUCCESSOR][0], person=SUCCESSOR, governance=self.governance, now_ms=now_ms
        )


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def reason(call: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as refused:
        call()
    return refused.value.reason


def test_a_right_offer_is_right(world: World) -> None:
    world.check(world.offer())


def signed(world: World, offer: Offer, shares: tuple[SealedShare, ...], **changes: Any) -> Offer:
    """Return an offer of other shares, which the leaving custodian has signed for as well."""
    subject = subjects.transfer(
        dossier=changes.get("dossier", offer.dossier),
        custodian=changes.get("custodian", offer.custodian),
        successor=SUCCESSOR,
        successor_public=world.sealing[SUCCESSOR][1],
        shares=[(one.subset, one.digest, one.sealed) for one in shares],
    )
    return dataclasses.replace(offer, shares=shares, decision=world.decision(subject), **changes)


def test_a_wrong_share_is_found_by_the_successors_client_though_it_was_signed_for(world: World) -> None:
    offer = world.offer()
    first, *rest = offer.shares
    with Secret.random() as wrong:
        sealed = quorum.reseal_for_successor(
            quorum.OpenShare(first.subset, LEAVING, wrong),
            world.sealing[SUCCESSOR][1],
            SUCCESSOR,
            MESH,
            DOSSIER,
        )
    forged = (dataclasses.replace(first, sealed=sealed), *rest)
    assert reason(lambda: world.check(signed(world, offer, forged))) == "SHARE_WRONG"


def test_a_share_of_another_dossier_subset_or_place_does_not_open(world: World) -> None:
    offer = world.offer()
    first, second = offer.shares
    swapped = (
        dataclasses.replace(first, sealed=second.sealed),
        dataclasses.replace(second, sealed=first.sealed),
    )
    assert reason(lambda: world.check(signed(world, offer, swapped))) == "SEALING_OPEN"
    moved = signed(world, offer, offer.shares, dossier=OTHER)
    assert reason(lambda: world.check(moved)) == "SEALING_OPEN"
    place = next(name for name in first.subset if name != LEAVING)
    other = (dataclasses.replace(first, custodian=place),)
    assert reason(lambda: world.check(signed(world, offer, other, custodian=place))) == "SEALING_OPEN"


def test_a_share_that_fills_another_place_or_stands_twice_is_refused(world: World) -> None:
    offer = world.offer()
    first, second = offer.shares
    for wrong in (
        (first, dataclasses.replace(second, custodian="na-rae")),
        (first, first),
        (dataclasses.replace(first, subset=("da-som", "na-rae")), second),
    ):
        assert reason(lambda wrong=wrong: world.check(signed(world, offer, wrong))) == "SHARE_OWNER"  # type: ignore[misc]
    elsewhere = signed(world, offer, offer.shares, custodian="na-rae")
    assert reason(lambda: world.check(elsewhere)) == "SHARE_OWNER"
    assert reason(lambda: world.check(signed(world, offer, ()))) == "SHARES_MISSING"


def test_shares_or_digests_that_nobody_signed_for_are_refused(world: World) -> None:
    offer = world.offer()
    first, *rest = offer.shares
    for wrong in (
        dataclasses.replace(offer, shares=world.offer().shares),
        dataclasses.replace(offer, shares=(dataclasses.replace(first, digest=bytes(32)), *rest)),
        dataclasses.replace(offer, shares=tuple(rest)),
        dataclasses.replace(offer, dossier=OTHER),
    ):
        assert reason(lambda wrong=wrong: world.check(wrong)) == "DECISION_SUBJECT"  # type: ignore[misc]


def test_the_leaving_custodian_must_have_signed_under_the_governance_in_force(world: World) -> None:
    for changes, expected in (
        ({"key": "na-rae"}, "STATEMENT_SIGNATURE"),
        ({"action": "approve"}, "DECISION_ACTION"),
        ({"governance": 1}, "GOVERNANCE_VERSION"),
        ({"mesh": "other.example"}, "STATEMENT_MESH"),
        ({"person": "na-rae", "key": LEAVING}, "DECISION_PERSON"),
    ):
        offer = world.offer(**changes)
        assert reason(lambda offer=offer: world.check(offer)) == expected  # type: ignore[misc]
    offer = world.offer()
    assert reason(lambda: world.check(offer, NOW_MS + 1000)) == "STATEMENT_EXPIRED"
    stranger = dataclasses.replace(offer, leaving="ra-on")
    assert reason(lambda: world.check(stranger)) == "DECISION_PERSON"


def test_a_leaving_custodian_reseals_no_share_that_was_not_split(world: World) -> None:
    heir = custodian_of(world.governance, SUCCESSOR)

    def attempt(own: list[SealedShare]) -> str:
        return reason(
            lambda: reseal(own, world.sealing[LEAVING][0], successor=heir, mesh=MESH, dossier=DOSSIER)
        )

    own = world.own()
    assert attempt([dataclasses.replace(one, digest=bytes(32)) for one in own]) == "SHARE_WRONG"
    assert attempt(world.own("na-rae")) == "SEALING_OPEN"
    assert attempt(world.own(dossier=OTHER)) == "SEALING_OPEN"
    assert attempt([own[0], own[0]]) == "SHARE_OWNER"
    assert attempt([]) == "SHARES_MISSING"


def test_shares_are_sealed_to_custodians_of_the_governance_in_force_alone(world: World) -> None:
    assert reason(lambda: custodian_of(world.governance, "ra-on")) == "TRANSFER_SUCCESSOR"
