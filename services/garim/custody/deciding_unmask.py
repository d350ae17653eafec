"""Custodians decide on an unmask request: a signed decision and, for an approval, their re-sealed shares."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence
from typing import Literal

from sqlalchemy import Connection

from garim.custody import jobs
from garim.custody.core import Core
from garim.custody.deciding import still_counts, verified_decision
from garim.custody.gate import demand_running
from garim.custody.kinds import REQUEST
from garim.custody.tables import dossiers, objects, stopping, transfers, unmask
from garim.custody.tables.transfers import Transfer
from garim.custody.tables.unmask import ApprovedShare, KeptDecision, UnmaskRequest
from garim.statements import dsse
from garim.statements.refusal import Kind, RefusedError

BroughtShare = tuple[tuple[str, ...], bytes]
"""Names of a subset, and the caller's share of it, sealed to the request's one-time key."""


@dataclasses.dataclass(frozen=True, slots=True)
class Tally:
    """How the custodians stand on a request now.

    Attributes:
        approved: Who approves, counting now.
        denied: Who denied; a denial counts for good.
        able: Who could still approve: custodians now who hold shares, did not file it and have not denied,
            nor took the shares over from who had denied.
        needed: How many must approve.
        places: The custodians whose places in the subsets the approving fill; one for each of them.
    """

    approved: frozenset[str]
    denied: frozenset[str]
    able: frozenset[str]
    needed: int
    places: frozenset[str]

    @property
    def enough(self) -> bool:
        """Whether enough approve."""
        return len(self.approved) >= self.needed

    @property
    def refused(self) -> bool:
        """Whether the denials leave too few: n - k + 1 of the n who could approve."""
        return bool(self.denied) and len(self.able) < self.needed


def tally(core: Core, request: UnmaskRequest, at_ms: int) -> Tally:
    """Count the decisions on a request.

    Args:
        core: Custody's means.
        request: The request.
        at_ms: Time at which approvals must not be expired.
    """
    with core.database.reading() as connection:
        return tally_in(connection, core, request, at_ms)


def tally_in(connection: Connection, core: Core, request: UnmaskRequest, at_ms: int) -> Tally:
    """Count the decisions on a request as a transaction sees them; see `tally`."""
    kept = unmask.decisions(connection, request.id)
    dossier = dossiers.find(connection, request.dossier_id)
    brought = {one.custodian for one in unmask.shares(connection, request.id)}
    spent = _spent_places(kept, transfers.accepted(connection, request.dossier_id))
    held = {
        holder: custodian
        for custodian, holder in dossiers.holders(connection, request.dossier_id).items()
        if custodian not in spent
    }
    freeze = stopping.freeze_in_force(connection)
    governance = core.governance.current()
    denied = frozenset(one.person for one in kept if one.action == "deny")
    approved = frozenset(
        one.person
        for one in kept
        if one.action == "approve"
        and held.get(one.person) in brought
        and one.person not in denied | {request.filer}
        and still_counts(
            one.envelope,
            person=one.person,
            action="approve",
            subject=request.subject,
            governance=governance,
            freeze=freeze.id if freeze else None,
            at_ms=at_ms,
        )
    )
    able = {one.person for one in governance.custodians} & held.keys() - denied - {request.filer}
    needed = governance.quorum if dossier is None else dossier.quorum
    places = frozenset(held[person] for person in approved)
    return Tally(approved, denied, frozenset(able), needed, places)


def _spent_places(kept: Iterable[KeptDecision], accepted: Iterable[Transfer]) -> set[str]:
    """Return the places whose holder denied before giving them away: a denial counts for good."""
    denials = [one for one in kept if one.action == "deny"]
    return {
        transfer.custodian
        for transfer in accepted
        for one in denials
        if one.person == transfer.leaving and one.at_ms <= (transfer.accepted_ms or 0)
    }


@dataclasses.dataclass(frozen=True, slots=True)
class UnmaskDecisions:
    """Takes custodians' decisions.

    Args:
        core: Custody's means.
    """

    core: Core

    def decide(
        self, request_id: str, envelope: dsse.Envelope, shares: Sequence[BroughtShare], caller: str
    ) -> UnmaskRequest:
        """Record a decision: an approval is logged before it counts, a denial acts at once.

        Args:
            request_id: The request.
            envelope: The signed decision.
            shares: For an approval, the caller's share of every subset they are in.
            caller: Name in the caller's certificate.

        Raises:
            RefusedError: `REQUEST_UNKNOWN`, `REQUEST_STATE`, `REQUEST_EXPIRED`, `DECISION_*`,
                `SHARES_INCOMPLETE`, `SHARE_WRONG`, `SEALING_OPEN`, `GOVERNANCE_VERSION`, and why the log
                refuses.
        """
        request = find_request(self.core, request_id)
        digest = hashlib.sha256(envelope.payload).hexdigest()
        if self._is_kept(request, envelope, caller, digest):
            return request
        decision = verified_decision(self.core, envelope, caller, ("approve", "deny"), request.subject)
        _demand_undecided(request, self.core.clock.now_ms())
        if decision.action == "deny":
            return self._deny(request, caller, envelope, digest)
        return self._approve(request, caller, envelope, digest, shares)

    def _is_kept(self, request: UnmaskRequest, envelope: dsse.Envelope, caller: str, digest: str) -> bool:
        """Tell whether this very decision was taken before: its answer may have been lost."""
        with self.core.database.reading() as connection:
            kept = unmask.decision(connection, request.id, digest)
        return kept is not None and kept.person == caller and kept.envelope == dsse.to_bytes(envelope)

    def _deny(
        self, request: UnmaskRequest, caller: str, envelope: dsse.Envelope, digest: str
    ) -> UnmaskRequest:
        """Keep a denial, also one's own after an approval, and end the request where it is one too many."""
        core = self.core
        now_ms = core.clock.now_ms()
        kept = KeptDecision(caller, "deny", dsse.to_bytes(envelope), now_ms)
        with core.database.writing() as connection:
            current = _demand_undecided(unmask.find(connection, request.id), now_ms)
            if caller in tally_in(connection, core, current, now_ms).denied:
                raise _repeated()
            keep_denial(connection, core, current, digest, kept)
            core.journal.later(
                "denial", envelope.payload, key=digest, beside=dsse.to_bytes(envelope), within=connection
            )
        return find_request(core, request.id)

    def _approve(
        self,
        request: UnmaskRequest,
        caller: str,
        envelope: dsse.Envelope,
        digest: str,
        shares: Sequence[BroughtShare],
    ) -> UnmaskRequest:
        core = self.core
        if caller == request.filer:
            raise RefusedError("DECISION_PERSON", "nobody approves what they filed", kind=Kind.FORBIDDEN)
        with core.database.reading() as connection:
            self._demand_approvable(connection, request, caller, core.clock.now_ms())
        brought = self._checked_shares(request, caller, shares)
        entry = core.journal.append("approval", envelope.payload, key=digest)
        kept = KeptDecision(caller, "approve", dsse.to_bytes(envelope), entry.time_ms)
        with core.database.writing() as connection:
            self._demand_approvable(connection, request, caller, entry.time_ms)
            unmask.decide(connection, request.id, digest, kept, brought)
            if caller not in tally_in(connection, core, request, entry.time_ms).approved:
                raise RefusedError(
                    "GOVERNANCE_VERSION",
                    "the decision has expired, or governance or a freeze has changed: decide anew",
                    kind=Kind.PRECONDITION,
                    field="expires",
                )
        return find_request(core, request.id)

    def _demand_approvable(
        self, connection: Connection, request: UnmaskRequest, caller: str, at_ms: int
    ) -> None:
        """Refuse an approval of what is stopped or has ended, or by one who has decided already."""
        current = _demand_undecided(unmask.find(connection, request.id), at_ms)
        demand_running(connection, request.document_digest)
        dossier = dossiers.find(connection, request.dossier_id)
        if dossier is not None:
            demand_running(connection, dossier.document_digest)
        counted = tally_in(connection, self.core, current, at_ms)
        if caller in counted.approved | counted.denied:
            raise _repeated()

    def _checked_shares(
        self, request: UnmaskRequest, caller: str, sealed: Sequence[BroughtShare]
    ) -> list[ApprovedShare]:
        """Return what an approval brought; refuse it without all the caller's shares, or with a wrong one."""
        core = self.core
        with core.database.reading() as connection:
            own = dossiers.shares(connection, request.dossier_id, caller)
        wanted = {one.subset: one.digest for one in own}
        if not wanted or {subset for subset, _ in sealed} != wanted.keys() or len(sealed) != len(wanted):
            raise RefusedError(
                "SHARES_INCOMPLETE",
                "an approval brings the custodian's share of every subset",
                field="shares",
            )
        brought = [ApprovedShare(subset, own[0].custodian, share) for subset, share in sealed]
        job = jobs.CheckShares(
            mesh=core.mesh,
            request=request_key(request),
            request_id=bytes.fromhex(request.id),
            dossier=bytes.fromhex(request.dossier_id),
            shares=tuple(
                jobs.Share(
                    subset=one.subset,
                    custodian=one.custodian,
                    sealed=one.sealed,
                    digest=wanted[one.subset],
                )
                for one in brought
            ),
        )
        core.opener.run(job.encode())
        return brought


def find_request(core: Core, request_id: str) -> UnmaskRequest:
    """Return a request that custodians may see.

    Raises:
        RefusedError: `REQUEST_UNKNOWN`.
    """
    with core.database.reading() as connection:
        request = unmask.find(connection, request_id)
    if request is None or request.state == "making":
        raise RefusedError(
            "REQUEST_UNKNOWN", "there is no such request", kind=Kind.NOT_FOUND, field="request_id"
        )
    return request


def request_key(request: UnmaskRequest) -> jobs.Wrapped:
    """Return the request's one-time private key, wrapped.

    Raises:
        RefusedError: `REQUEST_STATE` where it is destroyed.
    """
    if request.wrapped_private is None:
        raise RefusedError("REQUEST_STATE", "the request's key is destroyed", kind=Kind.PRECONDITION)
    return jobs.Wrapped(kind=REQUEST, id=request.id, wrapped=request.wrapped_private)


def keep_denial(
    connection: Connection, core: Core, request: UnmaskRequest, digest: str, kept: KeptDecision
) -> None:
    """Keep a denial and end the request where it leaves too few who could approve.

    Args:
        connection: A writing transaction.
        core: Custody's means.
        request: The request.
        digest: SHA-256 of the decision's payload, hexadecimal.
        kept: The denial.
    """
    unmask.decide(connection, request.id, digest, kept, ())
    if tally_in(connection, core, request, kept.at_ms).refused:
        end_request(connection, request.id, "denied", core.clock.now_ms())


def end_request(
    connection: Connection, request_id: str, state: Literal["denied", "expired", "revoked"], now_ms: int
) -> None:
    """End an unfinished request for good and let its one-time key be destroyed; its shares go at once.

    Args:
        connection: A writing transaction.
        request_id: The request; one that is finished stays as it is.
        state: How it ends.
        now_ms: Milliseconds since the Unix epoch.
    """
    if unmask.advance(connection, request_id, unmask.UNFINISHED, state):
        finish_request(connection, request_id, state, now_ms)


def finish_request(connection: Connection, request_id: str, state: str, now_ms: int) -> None:
    """Drop a finished request's shares and let its one-time key be destroyed from now on."""
    unmask.drop_shares(connection, request_id)
    objects.end(connection, REQUEST, request_id, now_ms, f"request {state}")


def _demand_undecided(request: UnmaskRequest | None, at_ms: int) -> UnmaskRequest:
    if request is None or request.state not in unmask.DECIDABLE:
        state = "gone" if request is None else request.state
        raise RefusedError(
            "REQUEST_STATE", f"the request is {state}: nothing is left to decide", kind=Kind.PRECONDITION
        )
    if at_ms >= request.expires_ms:
        raise RefusedError("REQUEST_EXPIRED", "the request's time is over", kind=Kind.PRECONDITION)
    return request


def _repeated() -> RefusedError:
    return RefusedError("DECISION_REPEATED", "this custodian has decided already", kind=Kind.EXISTS)
