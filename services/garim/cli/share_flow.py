"""A leaving custodian's and a successor's side of a transfer of shares: fetch, check, sign, hand in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from garim.api.custody.v1 import custody_pb2
from garim.cli.decisions import signer
from garim.cli.keyfiles import KeyKind, read_key
from garim.cli.session import Session
from garim.cli.share_check import Offer, check_offer, custodian_of, reseal
from garim.kit.convert import envelope_from, envelope_to
from garim.sealing.quorum import SealedShare
from garim.statements import subjects
from garim.statements.refusal import RefusedError

HELD = "held"
"""The successor has a place of their own in the dossier: nothing is handed on, and nothing need be."""

_GENERAL = ("ACCESS_", "FROZEN", "LOG_", "PEER_", "RECOVERY_", "DEADLINE_", "CALL_")
"""Refusals that every other dossier would meet too."""


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """What came of one dossier.

    Attributes:
        dossier: Its id, hexadecimal.
        custodian: Whose place in its subsets it is.
        result: `offered`, `accepted`, `held`, or the reason of a refusal.
        other: The successor of an offer, or who made it.
    """

    dossier: str
    custodian: str
    result: str
    other: str

    @property
    def is_refused(self) -> bool:
        """Whether it was refused."""
        return self.result.isupper()


def held(own: Session) -> Iterator[custody_pb2.DossierShares]:
    """Return what the session's person holds, page after page."""
    token = ""
    while True:
        answer = own.custody.ListShares(custody_pb2.ListSharesRequest(page_token=token))
        yield from answer.dossiers
        token = answer.next_page_token
        if not token:
            return


def offered(own: Session) -> Iterator[custody_pb2.ShareTransfer]:
    """Return what is offered to the session's person, page after page."""
    token = ""
    while True:
        answer = own.custody.ListShareTransfers(custody_pb2.ListShareTransfersRequest(page_token=token))
        yield from answer.transfers
        token = answer.next_page_token
        if not token:
            return


def transfer(
    own: Session, to: str, reason: str, passphrase_file: Path | None, done: Callable[[int, int], None]
) -> list[Result]:
    """Offer all that the session's person holds to a successor.

    Args:
        own: Who leaves.
        to: The successor.
        reason: Why.
        passphrase_file: See `keyfiles.passphrase_of`.
        done: Told how many dossiers of how many are done.

    Raises:
        RefusedError: `TRANSFER_SUCCESSOR`: no custodian now. What would meet every dossier.
    """
    successor = custodian_of(own.governance(), to)
    listed = list(held(own))
    results = []
    sign = signer(own, passphrase_file)
    with (
        own.passphrase(passphrase_file) as passphrase,
        read_key(own.person.share_key, KeyKind.SHARE, passphrase) as private,
    ):
        for position, one in enumerate(listed, 1):

            def offer(one: custody_pb2.DossierShares = one) -> str:
                if to in one.holders:
                    return HELD
                made = reseal(
                    _shares(one.shares, own.person.name),
                    private,
                    successor=successor,
                    mesh=own.mesh.mesh,
                    dossier=one.dossier_id,
                )
                request = custody_pb2.TransferSharesRequest(
                    dossier_id=one.dossier_id,
                    successor=to,
                    decision=envelope_to(sign("transfer", made.subject, reason)),
                )
                for subset, sealed in made.shares.items():
                    request.shares.add(subset=subset, sealed=sealed)
                own.custody.TransferShares(request)
                return "offered"

            results.append(Result(one.dossier_id.hex(), one.custodian, _outcome(offer), to))
            done(position, len(listed))
    return results


def accept(own: Session, passphrase_file: Path | None, done: Callable[[int, int], None]) -> list[Result]:
    """Check every offer to the session's person, share by share, and accept those that are right.

    Args:
        own: The successor.
        passphrase_file: See `keyfiles.passphrase_of`.
        done: Told how many offers of how many are done.

    Raises:
        RefusedError: What would meet every offer.
    """
    listed = list(offered(own))
    results: list[Result] = []
    if not listed:
        return results
    governance = own.governance()
    sign = signer(own, passphrase_file)
    with (
        own.passphrase(passphrase_file) as passphrase,
        read_key(own.person.share_key, KeyKind.SHARE, passphrase) as private,
    ):
        for position, one in enumerate(listed, 1):

            def take(one: custody_pb2.ShareTransfer = one) -> str:
                offer = Offer(
                    one.dossier_id,
                    one.custodian,
                    one.leaving,
                    envelope_from(one.decision),
                    tuple(_shares(one.shares, own.person.name)),
                )
                check_offer(
                    offer, private, person=own.person.name, governance=governance, now_ms=own.now_ms()
                )
                decision = sign("accept", subjects.acceptance(offer.digest), "")
                own.custody.AcceptShares(
                    custody_pb2.AcceptSharesRequest(transfer=offer.digest, decision=envelope_to(decision))
                )
                return "accepted"

            results.append(Result(one.dossier_id.hex(), one.custodian, _outcome(take), one.leaving))
            done(position, len(listed))
    return results


def _outcome(act: Callable[[], str]) -> str:
    try:
        return act()
    except RefusedError as refusal:
        if refusal.reason.startswith(_GENERAL):
            raise
        return refusal.reason


def _shares(listed: Iterable[custody_pb2.SealedShare], holder: str) -> list[SealedShare]:
    return [
        SealedShare(tuple(one.subset), one.custodian, one.sealed, one.digest, holder=holder) for one in listed
    ]
