"""Custodians decide on an unmask request: a signed decision and, for an approval, their re-sealed shares."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence

from garim.custody import jobs
from garim.custody.core import Core
from garim.custody.deciding import still_counts, verified_decision
from garim.custody.gate import demand_running
from garim.custody.kinds import REQUEST
from garim.custody.tables import dossiers, objects, unmask
from garim.custody.tables.unmask import ApprovedShare, KeptDecision, UnmaskRequest
from garim.statements import dsse
from garim.statements.refusal import Kind, RefusedError


@dataclasses.dataclass(frozen=True, slots=True)
class Tally:
    """How the custodians stand on a request now.

    Attributes:
        approved: Who approves, counting now.
        denied: Who denied; a denial counts for good.
        needed: How many must approve.
    """

    approved: frozenset[str]
    denied: frozenset[str]
    needed: int

    @property
    def enough(self) -> bool:
        """Whether enough approve."""
        return len(self.approved) >= self.needed


def tally(core: Core, request: UnmaskRequest, at_ms: int) -> Tally:
    """Count the decisions on a request.

    Args:
        core: Custody's means.
        request: The request.
        at_ms: Time at which approvals must not be expired.
    """
    with core.database.reading() as connection:
        kept = unmask.decisions(connection, request.id)
        dossier = dossiers.find(connection, request.dossier_id)
        shares = unmask.shares(connection, request.id)
    needed = core.governance.current().quorum if dossier is None else dossier.quorum
    denied = frozenset(one.person for one in kept if one.action == "deny")
    brought = {one.custodian for one in shares}
    approved = frozenset(
        one.person
        for one in kept
        if one.action == "approve"
        and one.person in brought
        and one.person not in denied
        and still_counts(core, one.envelope, one.person, "approve", request.subject, at_ms)
    )
    return Tally(approved, denied, needed)


@dataclasses.dataclass(frozen=True, slots=True)
class UnmaskDecisions:
    """Takes custodians' decisions.

    Args:
        core: Custody's means.
    """

    core: Core

    def decide(
        self, request_id: str, envelope: dsse.Envelope, shares: Sequence[ApprovedShare], caller: str
    ) -> UnmaskRequest:
        """Record a decision: an approval is logged before it counts, a denial acts at once.

        Args:
            request_id: The request.
            envelope: The signed decision.
            shares: For an approval, the custodian's shares of every subset they are in.
            caller: Name in the caller's certificate.

        Raises:
            RefusedError: `REQUEST_UNKNOWN`, `REQUEST_STATE`, `REQUEST_EXPIRED`, `DECISION_*`,
                `SHARES_INCOMPLETE`, `SHARE_WRONG`, `SEALING_OPEN`, `GOVERNANCE_VERSION`, and why the log
                refuses.
        """
        request = find_request(self.core, request_id)
        decision = verified_decision(self.core, envelope, caller, ("approve", "deny"), request.subject)
        self._demand_open(request, caller)
        digest = hashlib.sha256(envelope.payload).hexdigest()
        if decision.action == "deny":
            return self._deny(request, caller, envelope, digest)
        return self._approve(request, caller, envelope, digest, shares)

    def _demand_open(self, request: UnmaskRequest, caller: str) -> None:
        now_ms = self.core.clock.now_ms()
        if request.state != "pending":
            raise RefusedError(
                "REQUEST_STATE",
                f"the request is {request.state}: nothing is left to decide",
                kind=Kind.PRECONDITION,
            )
        if now_ms >= request.expires_ms:
            raise RefusedError("REQUEST_EXPIRED", "the request's time is over", kind=Kind.PRECONDITION)
        counted = tally(self.core, request, now_ms)
        if caller in counted.approved | counted.denied:
            raise RefusedError("DECISION_REPEATED", "this custodian has decided already", kind=Kind.EXISTS)

    def _deny(
        self, request: UnmaskRequest, caller: str, envelope: dsse.Envelope, digest: str
    ) -> UnmaskRequest:
        core = self.core
        now_ms = core.clock.now_ms()
        kept = KeptDecision(caller, "deny", dsse.to_bytes(envelope), now_ms)
        with core.database.writing() as connection:
            unmask.decide(connection, request.id, digest, kept, ())
            core.journal.later("denial", envelope.payload, key=digest, within=connection)
        counted = tally(core, request, now_ms)
        custodians = len(core.governance.current().custodians)
        if len(counted.denied) >= custodians - counted.needed + 1:
            end_request(core, request, "denied")
        return find_request(core, request.id)

    def _approve(
        self,
        request: UnmaskRequest,
        caller: str,
        envelope: dsse.Envelope,
        digest: str,
        shares: Sequence[ApprovedShare],
    ) -> UnmaskRequest:
        core = self.core
        if caller == request.filer:
            raise RefusedError("DECISION_PERSON", "nobody approves what they filed", kind=Kind.FORBIDDEN)
        self._demand_shares(request, caller, shares)
        entry = core.journal.append("approval", envelope.payload, key=digest)
        if not still_counts(core, dsse.to_bytes(envelope), caller, "approve", request.subject, entry.time_ms):
            raise RefusedError("STATEMENT_EXPIRED", "the decision has expired: decide anew", field="expires")
        kept = KeptDecision(caller, "approve", dsse.to_bytes(envelope), entry.time_ms)
        with core.database.writing() as connection:
            demand_running(connection, request.document_digest)
            current = unmask.find(connection, request.id)
            if current is None or current.state != "pending":
                raise RefusedError("REQUEST_STATE", "the request has ended meanwhile", kind=Kind.PRECONDITION)
            unmask.decide(connection, request.id, digest, kept, shares)
        return find_request(core, request.id)

    def _demand_shares(self, request: UnmaskRequest, caller: str, shares: Sequence[ApprovedShare]) -> None:
        """Refuse an approval without all of the custodian's shares, or with a wrong one."""
        core = self.core
        with core.database.reading() as connection:
            own = dossiers.shares(connection, request.dossier_id, caller)
        wanted = {one.subset: one.digest for one in own}
        if not wanted or {one.subset for one in shares} != wanted.keys() or len(shares) != len(wanted):
            raise RefusedError(
                "SHARES_INCOMPLETE",
                "an approval brings the custodian's share of every subset",
                field="shares",
            )
        job = jobs.CheckShares(
            mesh=core.mesh,
            request=request_key(request),
            request_id=bytes.fromhex(request.id),
            dossier=bytes.fromhex(request.dossier_id),
            shares=tuple(
                jobs.Share(subset=one.subset, custodian=caller, sealed=one.sealed, digest=wanted[one.subset])
                for one in shares
            ),
        )
        core.opener.run(job.encode())


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


def end_request(core: Core, request: UnmaskRequest, state: str) -> None:
    """End a request for good and let its one-time key be destroyed with its shares."""
    with core.database.writing() as connection:
        unmask.change(connection, request.id, state=state)
        objects.end(connection, REQUEST, request.id, core.clock.now_ms(), f"request {state}")
