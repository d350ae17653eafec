"""A leaving custodian and a successor at custody."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custody_support.second import Packed, SecondVault
from custody_support.vault import MESH
from garim.custody.tables import dossiers, transfers
from garim.custody.tables.dossiers import KeptShare
from garim.custody.transferring import ShareTransfers
from garim.sealing import hpke, quorum
from garim.statements import subjects
from garim.statements.dsse import Envelope
from garim.statements.governance import Custodian

LEAVING, SUCCESSOR, STAYING = "ga-on", "so-ra", "na-rae"


def welcome(
    vault: SecondVault, name: str = SUCCESSOR, people: tuple[str, ...] = ("da-som", "na-rae")
) -> None:
    """Put a governance version in force that lists another custodian."""
    office = vault.operator.governance
    office.custodian_keys.setdefault(name, Ed25519PrivateKey.generate())
    office.share_keys.setdefault(name, hpke.generate())
    public = office.custodian_keys[name].public_key().public_bytes_raw()
    added = Custodian(
        person=name,
        decision_key=base64.b64encode(public).decode(),
        share_key=base64.b64encode(office.share_keys[name][1]).decode(),
    )
    listed = sorted([*vault.own.current().custodians, added], key=lambda one: one.person)
    vault.govern(vault.next_governance(custodians=tuple(listed)), *people)


def dismiss(vault: SecondVault, name: str = LEAVING, people: tuple[str, ...] = ("da-som", "na-rae")) -> None:
    """Put a governance version in force that lists a custodian no more."""
    listed = tuple(one for one in vault.own.current().custodians if one.person != name)
    vault.govern(vault.next_governance(custodians=listed), *people)


def held(vault: SecondVault, packed: Packed, holder: str | None = None) -> list[KeptShare]:
    """Return a dossier's shares, all or one person's."""
    with vault.database.reading() as connection:
        return dossiers.shares(connection, packed.dossier.id, holder)


def resealed(
    vault: SecondVault, packed: Packed, leaving: str = LEAVING, successor: str = SUCCESSOR
) -> dict[tuple[str, ...], bytes]:
    """Return a person's shares of a dossier, sealed to another."""
    office = vault.operator.governance
    dossier = bytes.fromhex(packed.dossier.id)
    made = {}
    for one in held(vault, packed, leaving):
        sealed = quorum.SealedShare(one.subset, one.custodian, one.sealed, one.digest, one.holder)
        opened = quorum.open_share(sealed, office.share_keys[leaving][0], MESH, dossier)
        with opened.share:
            made[one.subset] = quorum.reseal_for_successor(
                opened, office.share_keys[successor][1], successor, MESH, dossier
            )
    return made


@dataclasses.dataclass
class Offer:
    """An offer before it is handed in."""

    dossier: str
    leaving: str
    successor: str
    sealed: dict[tuple[str, ...], bytes]
    envelope: Envelope

    @property
    def digest(self) -> str:
        """By which the offer is known."""
        return hashlib.sha256(self.envelope.payload).hexdigest()


def drafted(
    vault: SecondVault, packed: Packed, leaving: str = LEAVING, successor: str = SUCCESSOR, **changes: Any
) -> Offer:
    """Return a signed offer of a place."""
    sealed = changes.pop("sealed", None) or resealed(vault, packed, leaving, successor)
    own = held(vault, packed, leaving)
    subject = subjects.transfer(
        dossier=bytes.fromhex(packed.dossier.id),
        custodian=own[0].custodian,
        successor=successor,
        successor_public=vault.operator.governance.share_keys[successor][1],
        shares=[(one.subset, one.digest, sealed[one.subset]) for one in own if one.subset in sealed],
    )
    envelope = vault.decision(leaving, "transfer", changes.pop("subject", subject), **changes)
    return Offer(packed.dossier.id, leaving, successor, sealed, envelope)


def hand_in(vault: SecondVault, offer: Offer, caller: str | None = None) -> str:
    """Hand an offer in."""
    return ShareTransfers(vault.core).offer(
        offer.dossier, offer.successor, offer.envelope, offer.sealed, caller or offer.leaving
    )


def accept(vault: SecondVault, digest: str, caller: str = SUCCESSOR, **changes: Any) -> Envelope:
    """Accept an offer; returns the decision."""
    envelope = vault.decision(caller, "accept", subjects.acceptance(bytes.fromhex(digest)), **changes)
    ShareTransfers(vault.core).accept(digest, envelope, caller)
    return envelope


def transfer(vault: SecondVault, packed: Packed, leaving: str = LEAVING, successor: str = SUCCESSOR) -> Offer:
    """Hand a place over."""
    offer = drafted(vault, packed, leaving, successor)
    accept(vault, hand_in(vault, offer), successor)
    return offer


def waiting(vault: SecondVault, successor: str = SUCCESSOR) -> list[str]:
    """Return the offers that wait for a person."""
    with vault.database.reading() as connection:
        return [one.digest for one in transfers.pending_for(connection, successor, "", 100)]


def holders(vault: SecondVault, packed: Packed) -> dict[str, str]:
    """Return who fills which place."""
    with vault.database.reading() as connection:
        return dossiers.holders(connection, packed.dossier.id)
