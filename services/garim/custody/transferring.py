"""A leaving custodian's place in a dossier goes to a successor: offered by one client, checked by the other.

Custody never opens a share: the leaving custodian's client re-seals theirs, the successor's client opens
each and compares it with its digest before it accepts. Custody sees to it that k people stay k people: nobody
fills two places of one dossier, and whoever gave a place away decides in it no more.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from collections.abc import Mapping

from sqlalchemy import Connection

from garim.custody.core import Core
from garim.custody.deciding import still_counts, verified_decision
from garim.custody.gate import demand_running
from garim.custody.releases import unknown_dossier
from garim.custody.tables import dossiers, stopping, transfers, unmask
from garim.custody.tables.dossiers import Dossier
from garim.custody.tables.transfers import Transfer
from garim.statements import dsse, strict_json, subjects
from garim.statements.decisions import Action
from garim.statements.governance import raw_key
from garim.statements.refusal import Kind, RefusedError

OFFERED_ENTRY = "share-transfer"
ACCEPTED_ENTRY = "share-acceptance"

Resealed = Mapping[tuple[str, ...], bytes]
"""Of each subset the share, sealed to the successor."""


@dataclasses.dataclass(frozen=True, slots=True)
class ShareTransfers:
    """Takes offers of places and their acceptance.

    Args:
        core: Custody's means.
    """

    core: Core

    def offer(
        self, dossier_id: str, successor: str, envelope: dsse.Envelope, sealed: Resealed, caller: str
    ) -> str:
        """Keep a leaving custodian's offer; nothing changes before the successor accepts.

        Args:
            dossier_id: The dossier.
            successor: To whom.
            envelope: The signed decision.
            sealed: The caller's share of every subset they are in, sealed to the successor.
            caller: Name in the caller's certificate.

        Returns:
            SHA-256 of the decision's payload, hexadecimal, by which the offer is known.

        Raises:
            RefusedError: `DOSSIER_UNKNOWN`, `DOSSIER_EXPIRED`, `SHARES_MISSING`, `SHARES_INCOMPLETE`,
                `TRANSFER_SUCCESSOR`, `TRANSFER_STATE`, `DECISION_*`, `GOVERNANCE_VERSION`, `FROZEN`,
                `DOCUMENT_REVOKED`, `CASE_STATE`, `RECOVERY_PENDING`, and why the log refuses.
        """
        core = self.core
        digest = hashlib.sha256(envelope.payload).hexdigest()
        if self._is_kept(digest, envelope, caller):
            return digest
        offered = self._offered(dossier_id, successor, sealed, caller)
        decision = verified_decision(core, envelope, caller, ("transfer",), offered.subject)
        transfer = dataclasses.replace(
            offered, digest=digest, envelope=dsse.to_bytes(envelope), expires_ms=decision.expires
        )
        with core.database.reading() as connection:
            self._demand_held(connection, transfer, core.clock.now_ms())
        entry = core.journal.append(OFFERED_ENTRY, envelope.payload, key=digest)
        with core.database.writing() as connection:
            self._demand_held(connection, transfer, entry.time_ms)
            self._demand_counts(
                connection, caller, "transfer", transfer.envelope, transfer.subject, entry.time_ms
            )
            if transfers.find(connection, digest) is None:
                transfers.end_pending(connection, dossier_id, caller)
                transfers.add(connection, transfer, sealed)
        return digest

    def accept(self, digest: str, envelope: dsse.Envelope, caller: str) -> None:
        """Put an offered place into the successor's hands, once that is logged.

        Args:
            digest: The offer.
            envelope: The successor's signed decision.
            caller: Name in the caller's certificate.

        Raises:
            RefusedError: `TRANSFER_UNKNOWN`, `TRANSFER_STATE`, `TRANSFER_SUCCESSOR`, `DECISION_*`,
                `DOSSIER_EXPIRED`, `GOVERNANCE_VERSION`, `FROZEN`, `DOCUMENT_REVOKED`, `CASE_STATE`,
                `RECOVERY_PENDING`, and why the log refuses.
        """
        core = self.core
        with core.database.reading() as connection:
            transfer = transfers.find(connection, digest)
            sealed = transfers.shares(connection, digest)
        if transfer is None or transfer.successor != caller:
            raise RefusedError(
                "TRANSFER_UNKNOWN", "no such offer was made to you", kind=Kind.NOT_FOUND, field="transfer"
            )
        acceptance = dsse.to_bytes(envelope)
        if transfer.acceptance == acceptance:
            return
        subject = subjects.acceptance(bytes.fromhex(digest))
        verified_decision(core, envelope, caller, ("accept",), subject)
        with core.database.reading() as connection:
            self._demand_acceptable(connection, transfer, core.clock.now_ms())
        entry = core.journal.append(
            ACCEPTED_ENTRY,
            envelope.payload,
            key=hashlib.sha256(envelope.payload).hexdigest(),
            beside=_beside(transfer, sealed, acceptance),
        )
        with core.database.writing() as connection:
            self._demand_acceptable(connection, transfer, entry.time_ms)
            self._demand_counts(connection, caller, "accept", acceptance, subject, entry.time_ms)
            transfers.accept(connection, digest, acceptance, entry.time_ms)
            _hand_over(connection, transfer, sealed)

    def _is_kept(self, digest: str, envelope: dsse.Envelope, caller: str) -> bool:
        """Tell whether this very offer was taken before: its answer may have been lost."""
        with self.core.database.reading() as connection:
            kept = transfers.find(connection, digest)
        if kept is None or kept.leaving != caller or kept.envelope != dsse.to_bytes(envelope):
            return False
        if kept.state == "ended":
            raise _state("the offer has ended: make a new one")
        return True

    def _offered(self, dossier_id: str, successor: str, sealed: Resealed, caller: str) -> Transfer:
        """Return what is offered, with the subject that its decision must name; it is not signed yet."""
        core = self.core
        with core.database.reading() as connection:
            _demand_dossier(connection, dossier_id)
            own = dossiers.shares(connection, dossier_id, caller)
        if not own:
            raise RefusedError(
                "SHARES_MISSING",
                "you hold no shares of this dossier",
                kind=Kind.PRECONDITION,
                field="dossier_id",
            )
        if sealed.keys() != {one.subset for one in own}:
            raise RefusedError(
                "SHARES_INCOMPLETE", "an offer brings your share of every subset", field="shares"
            )
        heir = core.governance.current().custodian(successor)
        if heir is None:
            raise _successor("the successor is no custodian now")
        subject = subjects.transfer(
            dossier=bytes.fromhex(dossier_id),
            custodian=own[0].custodian,
            successor=successor,
            successor_public=raw_key(heir.share_key),
            shares=[(one.subset, one.digest, sealed[one.subset]) for one in own],
        )
        return Transfer("", dossier_id, own[0].custodian, caller, successor, subject, b"", 0)

    def _demand_held(self, connection: Connection, transfer: Transfer, at_ms: int) -> None:
        """Refuse to hand over while stopped, after the dossier's time, from another, or to one of the k."""
        dossier = _demand_dossier(connection, transfer.dossier_id)
        demand_running(connection, dossier.document_digest)
        if at_ms >= dossier.unmask_until_ms:
            raise RefusedError("DOSSIER_EXPIRED", "the dossier's time is over", kind=Kind.PRECONDITION)
        held = dossiers.holders(connection, transfer.dossier_id)
        if held.get(transfer.custodian) != transfer.leaving:
            raise _state("the place is another's now")
        if transfer.successor in held.values():
            raise _successor(
                "the successor holds shares of this dossier already: k people must stay k people"
            )

    def _demand_acceptable(self, connection: Connection, transfer: Transfer, at_ms: int) -> None:
        current = transfers.find(connection, transfer.digest)
        if current is None or current.state != "pending":
            raise _state("the offer is no longer open")
        self._demand_held(connection, transfer, at_ms)
        self._demand_counts(
            connection, transfer.leaving, "transfer", transfer.envelope, transfer.subject, at_ms
        )

    def _demand_counts(
        self, connection: Connection, person: str, action: Action, envelope: bytes, subject: str, at_ms: int
    ) -> None:
        freeze = stopping.freeze_in_force(connection)
        if not still_counts(
            envelope,
            person=person,
            action=action,
            subject=subject,
            governance=self.core.governance.current(),
            freeze=freeze.id if freeze else None,
            at_ms=at_ms,
        ):
            raise RefusedError(
                "GOVERNANCE_VERSION",
                "the decision has expired, or governance or a freeze has changed: decide anew",
                kind=Kind.PRECONDITION,
                field="expires",
            )


def reapply(connection: Connection, beside: bytes, at_ms: int) -> None:
    """Hand over a place that a restored database has with its former holder; a lost dossier has none.

    Args:
        connection: A writing transaction.
        beside: What was sealed in the log beside the successor's decision.
        at_ms: Time of its log entry.
    """
    members = strict_json.parse_object(beside)
    listed: list[list[str]] = members.pop("shares")
    envelope = dsse.to_bytes(dsse.from_json(members.pop("decision")))
    accepted = dsse.to_bytes(dsse.from_json(members.pop("acceptance")))
    transfer = Transfer(**members, envelope=envelope)
    held = dossiers.holders(connection, transfer.dossier_id)
    if held.get(transfer.custodian) != transfer.leaving or transfer.successor in held.values():
        return
    if transfers.find(connection, transfer.digest) is None:
        transfers.add(connection, transfer, {})
    transfers.accept(connection, transfer.digest, accepted, at_ms)
    _hand_over(connection, transfer, {tuple(subset): base64.b64decode(share) for *subset, share in listed})


def _beside(transfer: Transfer, sealed: Resealed, acceptance: bytes) -> bytes:
    """Return all that `reapply` needs: a backup of custody's database has the former holder's shares only."""
    return strict_json.dump(
        {
            "acceptance": dsse.to_json(dsse.from_bytes(acceptance)),
            "custodian": transfer.custodian,
            "decision": dsse.to_json(dsse.from_bytes(transfer.envelope)),
            "digest": transfer.digest,
            "dossier_id": transfer.dossier_id,
            "expires_ms": transfer.expires_ms,
            "leaving": transfer.leaving,
            "shares": [[*subset, base64.b64encode(share).decode()] for subset, share in sealed.items()],
            "subject": transfer.subject,
            "successor": transfer.successor,
        }
    )


def _hand_over(connection: Connection, transfer: Transfer, sealed: Resealed) -> None:
    """Switch the holder; what the former one's approvals brought counts no more."""
    transfers.end_pending(connection, transfer.dossier_id, transfer.leaving)
    dossiers.hand_over(connection, transfer.dossier_id, transfer.custodian, transfer.successor, sealed)
    unmask.drop_brought(connection, transfer.dossier_id, transfer.custodian)


def _demand_dossier(connection: Connection, dossier_id: str) -> Dossier:
    dossier = dossiers.find(connection, dossier_id)
    if dossier is None or dossier.state == "making":
        raise unknown_dossier()
    return dossier


def _state(message: str) -> RefusedError:
    return RefusedError("TRANSFER_STATE", message, kind=Kind.PRECONDITION)


def _successor(message: str) -> RefusedError:
    return RefusedError("TRANSFER_SUCCESSOR", message, kind=Kind.PRECONDITION, field="successor")
