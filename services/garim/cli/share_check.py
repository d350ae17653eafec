"""What the clients of a leaving custodian and of the successor do with shares, and check before they sign.

No I/O: governance, keys and time come in as arguments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from garim.sealing import hpke, quorum
from garim.sealing.quorum import SealedShare
from garim.sealing.secret import Secret
from garim.statements import dsse, subjects
from garim.statements.decisions import Decision
from garim.statements.governance import Custodian, Governance, raw_key
from garim.statements.refusal import Kind, RefusedError


@dataclass(frozen=True, slots=True)
class Offer:
    """An offered place in a dossier as custody handed it out; nothing of it is believed.

    Attributes:
        dossier: Id of the dossier, 16 bytes.
        custodian: Whose place in the subsets it is.
        leaving: Who is said to offer it.
        decision: Their signed decision.
        shares: The shares, sealed to the successor.
    """

    dossier: bytes
    custodian: str
    leaving: str
    decision: dsse.Envelope
    shares: tuple[SealedShare, ...]

    @property
    def digest(self) -> bytes:
        """SHA-256 of the decision's payload, by which the offer is known."""
        return hashlib.sha256(self.decision.payload).digest()


@dataclass(frozen=True, slots=True)
class Resealed:
    """A leaving custodian's shares of one dossier, sealed to the successor.

    Attributes:
        shares: Of each subset the share.
        subject: What the decision that offers them names.
    """

    shares: dict[tuple[str, ...], bytes]
    subject: str


def custodian_of(governance: Governance, person: str) -> Custodian:
    """Return a custodian of the governance in force who can be given shares.

    Raises:
        RefusedError: `TRANSFER_SUCCESSOR`.
    """
    found = governance.custodian(person)
    if found is None or len(raw_key(found.share_key)) != hpke.PUBLIC_BYTES:
        raise RefusedError(
            "TRANSFER_SUCCESSOR",
            "this is no custodian of the governance in force: see `garim governance show`",
            kind=Kind.PRECONDITION,
            field="to",
        )
    return found


def reseal(
    own: Sequence[SealedShare], private: Secret, *, successor: Custodian, mesh: str, dossier: bytes
) -> Resealed:
    """Open one's shares of a dossier, compare each with its digest, and seal it to the successor.

    Args:
        own: As custody handed them out.
        private: The leaving custodian's share key.
        successor: Who is to get them, as governance names them.
        mesh: Name of the mesh.
        dossier: Id of the dossier, 16 bytes.

    Raises:
        RefusedError: `SHARES_MISSING`, `SHARE_OWNER`, `SHARE_WRONG`, `SEALING_OPEN`.
    """
    custodian = _place(own)
    public = raw_key(successor.share_key)
    shares = {}
    for one in own:
        opened = quorum.open_share(one, private, mesh, dossier)
        with opened.share:
            shares[one.subset] = quorum.reseal_for_successor(opened, public, successor.person, mesh, dossier)
    subject = _subject(
        dossier, custodian, successor, ((one.subset, one.digest, shares[one.subset]) for one in own)
    )
    return Resealed(shares, subject)


def check_offer(offer: Offer, private: Secret, *, person: str, governance: Governance, now_ms: int) -> None:
    """Refuse an offer that the leaving custodian did not sign, or with a share that is not what was split.

    Args:
        offer: As custody handed it out.
        private: The successor's share key.
        person: The successor.
        governance: In force, verified from the genesis digest.
        now_ms: Time of the check, milliseconds since 1970.

    Raises:
        RefusedError: `TRANSFER_SUCCESSOR`, `DECISION_PERSON`, `DECISION_ACTION`, `DECISION_SUBJECT`,
            `GOVERNANCE_VERSION`, `SHARES_MISSING`, `SHARE_OWNER`, `SHARE_WRONG`, `SEALING_OPEN`, and those
            of the statement.
    """
    own = custodian_of(governance, person)
    leaving = governance.custodian(offer.leaving)
    if leaving is None:
        raise RefusedError("DECISION_PERSON", "whoever offers is no custodian now", kind=Kind.FORBIDDEN)
    decision = Decision.verify(
        offer.decision, [raw_key(leaving.decision_key)], mesh=governance.mesh, now=now_ms
    )
    if decision.person != offer.leaving:
        raise RefusedError("DECISION_PERSON", "the decision is another person's", kind=Kind.FORBIDDEN)
    if decision.action != "transfer":
        raise RefusedError("DECISION_ACTION", "the decision is about something else", field="action")
    if decision.governance != governance.version:
        raise RefusedError(
            "GOVERNANCE_VERSION", "governance has changed since the offer", kind=Kind.PRECONDITION
        )
    listed = ((one.subset, one.digest, one.sealed) for one in offer.shares)
    if decision.subject != _subject(offer.dossier, offer.custodian, own, listed):
        raise RefusedError(
            "DECISION_SUBJECT",
            "custody shows other shares than were signed for: sign nothing, call the auditors",
            kind=Kind.DATA_LOSS,
            field="subject",
        )
    if _place(offer.shares) != offer.custodian:
        raise _owner()
    for one in offer.shares:
        quorum.open_share(one, private, governance.mesh, offer.dossier).share.wipe()


def _subject(
    dossier: bytes,
    custodian: str,
    successor: Custodian,
    shares: Iterable[tuple[tuple[str, ...], bytes, bytes]],
) -> str:
    return subjects.transfer(
        dossier=dossier,
        custodian=custodian,
        successor=successor.person,
        successor_public=raw_key(successor.share_key),
        shares=shares,
    )


def _place(shares: Sequence[SealedShare]) -> str:
    """Return the one place that shares fill, each in a subset of its own."""
    if not shares:
        raise RefusedError("SHARES_MISSING", "there are no shares", kind=Kind.PRECONDITION, field="shares")
    custodian = shares[0].custodian
    if any(one.custodian != custodian or custodian not in one.subset for one in shares):
        raise _owner()
    if len({one.subset for one in shares}) != len(shares):
        raise _owner()
    return custodian


def _owner() -> RefusedError:
    return RefusedError("SHARE_OWNER", "a share fills another place", field="shares")
