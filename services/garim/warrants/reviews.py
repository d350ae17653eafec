"""Reviewers' signed decisions: what one must be to count, and what the quorum leads to."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Collection

from garim.kit.identity import Peer
from garim.statements import subjects
from garim.statements.decisions import Action, Decision
from garim.statements.dsse import Envelope
from garim.statements.governance import Governance, raw_key
from garim.statements.refusal import Kind, RefusedError
from garim.warrants.cases import NOTHING_TO_CHANGE, Case, Change, KeptDecision, Note, Reason
from garim.warrants.forecasts import SCOPE_REFUSED
from garim.warrants.grants import conclude
from garim.warrants.intake import refusal_note
from garim.warrants.machine import FINAL, Cause, State
from garim.warrants.means import Means
from garim.warrants.ports import View

ENTRY_REVIEW = "review"
ENTRY_CANCEL = "cancel"
HOUR_MS = 3_600_000

APPROVE: Action = "review-approve"
DENY: Action = "review-deny"
CANCEL: Action = "cancel"


@dataclasses.dataclass(frozen=True, slots=True)
class Reviewed:
    """What a decision led to.

    Attributes:
        case: The case as it stands now.
        approvals: Approvals that count now.
        needed: Approvals needed.
    """

    case: Case
    approvals: int
    needed: int


@dataclasses.dataclass(frozen=True, slots=True)
class Ballot:
    """By what decisions on one case are counted.

    Attributes:
        governance: The version in force.
        subject: What a decision must name: document, forecast and policy.
        now_ms: Time at which a decision must not be expired.
    """

    governance: Governance
    subject: str
    now_ms: int

    def people(self, decisions: Collection[KeptDecision], action: Action) -> set[str]:
        """Return the reviewers whose decision for an action counts now."""
        return {one.person for one in decisions if self._counts(one, action)}

    def decided(self, decisions: Collection[KeptDecision], person: str) -> bool:
        """Tell whether a person has a decision that counts now."""
        return person in self.people(decisions, APPROVE) | self.people(decisions, DENY)

    def is_approved(self, decisions: Collection[KeptDecision]) -> bool:
        """Tell whether the quorum has approved."""
        return len(self.people(decisions, APPROVE)) >= self.governance.review_quorum

    def is_denied(self, decisions: Collection[KeptDecision]) -> bool:
        """Tell whether so many have denied that the quorum cannot be reached any more."""
        rest = len(self.governance.reviewers) - len(self.people(decisions, DENY))
        return rest < self.governance.review_quorum

    def _counts(self, kept: KeptDecision, action: Action) -> bool:
        reviewer = self.governance.reviewer(kept.person)
        if reviewer is None:
            return False
        keys = [raw_key(reviewer.decision_key)]
        try:
            decision = Decision.verify(kept.envelope, keys, mesh=self.governance.mesh, now=self.now_ms)
        except RefusedError:
            return False
        return (
            decision.action == action
            and decision.subject == self.subject
            and decision.governance == self.governance.version
        )


def decide(means: Means, case: Case, envelope: Envelope, peer: Peer) -> Reviewed:
    """Record a reviewer's decision on a disclosure; the quorum's approval issues the grant.

    Args:
        means: What the service works with.
        case: Which case.
        envelope: The signed decision.
        peer: Who sends it, from the TLS certificate.

    Raises:
        RefusedError: `CASE_STATE`, `DECISION_PERSON`, `DECISION_ACTION`, `DECISION_SUBJECT`,
            `DECISION_VALIDITY`, `DECISION_REASON`, `DECISION_REPEATED`, `GOVERNANCE_VERSION`, `STATEMENT_*`;
            those of the log.
    """
    governance = means.governance.current()
    ballot = Ballot(governance, review_subject(means, case), means.clock.now_ms())
    decision = verified(envelope, ballot.governance, peer, ballot.now_ms, {APPROVE, DENY})
    _demand_subject(decision, ballot.subject)
    kept = KeptDecision(hashlib.sha256(envelope.payload).hexdigest(), decision.person, envelope)
    if kept.digest not in {one.digest for one in case.decisions}:
        _demand_open(means, case, ballot.now_ms)
        _demand_first(ballot, case, decision.person)
        if decision.action == APPROVE:
            # An approval opens something: it is in the log before it counts.
            logged = means.log.append(ENTRY_REVIEW, envelope.payload, key=kept.digest)
            decision.demand_current(logged.time_ms)
        case = means.store.settle(case.id, lambda view: _recorded(means, view, ballot, decision, kept, peer))
    case = conclude(means, case)
    return Reviewed(case, len(ballot.people(case.decisions, APPROVE)), governance.review_quorum)


def cancel(means: Means, case: Case, envelope: Envelope, peer: Peer) -> Case:
    """Cancel a case for good; it acts at once and is logged next.

    Args:
        means: What the service works with.
        case: Which case.
        envelope: A reviewer's signed decision.
        peer: Who sends it, from the TLS certificate.

    Raises:
        RefusedError: `CASE_STATE`, `DECISION_PERSON`, `DECISION_ACTION`, `DECISION_SUBJECT`,
            `DECISION_VALIDITY`, `DECISION_REASON`, `GOVERNANCE_VERSION`, `STATEMENT_*`.
    """
    decision = verified(envelope, means.governance.current(), peer, means.clock.now_ms(), {CANCEL})
    _demand_subject(decision, subjects.cancel(case.id, case.identity.digest))
    kept = KeptDecision(hashlib.sha256(envelope.payload).hexdigest(), decision.person, envelope)

    def cancelled(view: View) -> Change:
        if view.case.state is State.CANCELLED:
            return NOTHING_TO_CHANGE
        if view.case.state in FINAL:
            raise wrong_state("the case is closed already")
        note = Note(ENTRY_CANCEL, envelope.payload, kept.digest)
        return Change(
            cause=Cause.CANCELLED_BY_REVIEWER, who=peer.path, decision=kept, cascade=True, notes=(note,)
        )

    return means.store.settle(case.id, cancelled)


def review_subject(means: Means, case: Case) -> str:
    """Return the digest that a reviewer's decision on a case names.

    Args:
        means: What the service works with.
        case: Which case.

    Raises:
        RefusedError: `CASE_STATE`: nothing of this case is for reviewers to decide. Those of
            `Means.policy_of`.
    """
    if case.kind != "disclosure" or case.forecast is None:
        raise wrong_state("only a first request with a forecast is reviewed")
    return subjects.review(case.identity.digest, case.forecast.payload, means.policy_of(case).digest)


def verified(
    envelope: Envelope, governance: Governance, peer: Peer, now_ms: int, actions: Collection[Action]
) -> Decision:
    """Return a decision that this reviewer has signed and that counts now; its subject is the caller's.

    Args:
        envelope: What was received.
        governance: The version in force.
        peer: Who sends it, from the TLS certificate.
        now_ms: Time of the check, milliseconds since 1970.
        actions: What may be decided here.

    Raises:
        RefusedError: As `decide`.
    """
    reviewer = governance.reviewer(peer.name)
    if peer.kind != "person" or peer.role != "reviewer" or reviewer is None:
        raise _person("only a reviewer whom governance names decides")
    keys = [raw_key(reviewer.decision_key)]
    decision = Decision.verify(envelope, keys, mesh=governance.mesh, now=now_ms)
    if decision.person != peer.name:
        raise _person("the decision names another person than the certificate")
    if decision.action not in actions:
        raise RefusedError("DECISION_ACTION", "the decision is for something else", field="decision.action")
    if decision.governance != governance.version:
        raise RefusedError(
            "GOVERNANCE_VERSION",
            "another governance version is in force: look at the case again and decide anew",
            kind=Kind.PRECONDITION,
            field="decision.governance",
        )
    if not decision.lives_shortly(now_ms):
        raise RefusedError(
            "DECISION_VALIDITY", "a decision is made now and holds 24 hours at most", field="decision.expires"
        )
    if decision.action in {DENY, CANCEL} and not decision.reason.strip():
        raise RefusedError("DECISION_REASON", "say why", field="decision.reason")
    return decision


def wrong_state(message: str) -> RefusedError:
    """Return the refusal of what a case's state does not allow."""
    return RefusedError("CASE_STATE", message, kind=Kind.PRECONDITION)


def _recorded(
    means: Means, view: View, ballot: Ballot, decision: Decision, kept: KeptDecision, peer: Peer
) -> Change:
    """Return what one more decision means; runs inside the transaction that keeps it."""
    case = view.case
    if kept.digest in {one.digest for one in case.decisions}:
        return NOTHING_TO_CHANGE
    if case.state is not State.IN_REVIEW:
        raise wrong_state("nothing is to be decided on this case now")
    _demand_first(ballot, case, decision.person)
    decisions = (*case.decisions, kept)
    if decision.action == APPROVE:
        cause = Cause.REVIEW_APPROVED if ballot.is_approved(decisions) else None
        return Change(cause=cause, who=peer.path, decision=kept)
    note = Note(ENTRY_REVIEW, kept.envelope.payload, kept.digest)
    if not ballot.is_denied(decisions):
        return Change(decision=kept, notes=(note,))
    notes = (note, refusal_note(means, case, SCOPE_REFUSED.reason))
    return Change(
        cause=Cause.REVIEW_DENIED, who=peer.path, decision=kept, notes=notes, refusal=(SCOPE_REFUSED,)
    )


def _demand_open(means: Means, case: Case, now_ms: int) -> None:
    """Refuse decisions on what is not in review, or was for too long: that case is refused for good."""
    if case.state is not State.IN_REVIEW:
        raise wrong_state("nothing is to be decided on this case now")
    if lapse(means, case, now_ms).state is not State.IN_REVIEW:
        raise wrong_state("the time to decide on this case is over")


def lapse(means: Means, case: Case, now_ms: int) -> Case:
    """Refuse a case for good on which the reviewers have not decided in time; any other is returned as it is.

    Args:
        means: What the service works with.
        case: Which case.
        now_ms: Milliseconds since 1970.

    Raises:
        RefusedError: Those of `Means.policy_of`.
    """
    if case.state is not State.IN_REVIEW:
        return case
    if now_ms < case.received_ms + means.policy_of(case).version.deadlines.review_hours * HOUR_MS:
        return case

    def lapsed(view: View) -> Change:
        if view.case.state is not State.IN_REVIEW:
            return NOTHING_TO_CHANGE
        late = Reason("REVIEW_LAPSED", "", "the reviewers did not decide in time")
        return Change(
            cause=Cause.REVIEW_LAPSED,
            refusal=(SCOPE_REFUSED,),
            remarks=(*view.case.remarks, late),
            notes=(refusal_note(means, view.case, SCOPE_REFUSED.reason),),
        )

    return means.store.settle(case.id, lapsed)


def _demand_first(ballot: Ballot, case: Case, person: str) -> None:
    if ballot.decided(case.decisions, person):
        raise RefusedError("DECISION_REPEATED", "this person has decided already", kind=Kind.EXISTS)


def _demand_subject(decision: Decision, subject: str) -> None:
    if decision.subject != subject:
        raise RefusedError(
            "DECISION_SUBJECT", "the decision is about something else", field="decision.subject"
        )


def _person(message: str) -> RefusedError:
    return RefusedError("DECISION_PERSON", message, kind=Kind.FORBIDDEN, field="decision.person")
