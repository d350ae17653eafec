"""The state machine of a case: where it can stand, and the one table of what may move it.

Every transition goes through `after`, inside the transaction that records it; what the table does not list is
refused. Each step towards a grant or an answer has a state of its own, so that a restart goes on.
"""

from __future__ import annotations

import dataclasses
import enum

from garim.statements.refusal import Kind, RefusedError


class State(enum.StrEnum):
    """Where a case stands."""

    RECEIVED = "received"
    """The document is accepted; nothing else is known."""
    IN_REVIEW = "in-review"
    """Reviewers must decide."""
    GRANTING = "granting"
    """Everything allows the grant; it is not logged and signed yet."""
    NOTHING = "nothing"
    """There is nothing to hand over; the answer is not logged and signed yet."""
    GRANTED = "granted"
    REQUESTED = "unmask-requested"
    """Custody has opened the request of a second document."""
    PRESERVED = "preserved"
    """The scope of a preservation order is kept."""
    DOSSIER_CLOSED = "dossier-closed"
    DELIVERED = "delivered"
    ACKNOWLEDGED = "acknowledged"
    NO_DATA = "no-data"
    REFUSED = "refused"
    CANCELLED = "cancelled"


UNDECIDED = frozenset({State.RECEIVED, State.IN_REVIEW, State.GRANTING, State.NOTHING})
GRANTED = frozenset(
    {
        State.GRANTED,
        State.REQUESTED,
        State.PRESERVED,
        State.DOSSIER_CLOSED,
        State.DELIVERED,
        State.ACKNOWLEDGED,
    }
)
"""A grant stands, however far the case has come; in all of them case status says `granted`."""
FINAL = frozenset({State.NO_DATA, State.REFUSED, State.CANCELLED})
"""Nothing moves a case from here."""


class Cause(enum.StrEnum):
    """Why a case moves."""

    ACCEPTED = "accepted"
    REVIEW_ASKED = "review-asked"
    SCOPE_ALLOWED = "scope-allowed"
    NOTHING_FOUND = "nothing-found"
    OVER_BUDGET = "over-budget"
    REVIEW_APPROVED = "review-approved"
    REVIEW_DENIED = "review-denied"
    REVIEW_LAPSED = "review-lapsed"
    FIRST_NOT_GRANTED = "first-not-granted"
    DOCUMENT_EXPIRED = "document-expired"
    GRANT_LOGGED = "grant-logged"
    ANSWER_LOGGED = "answer-logged"
    UNMASK_REQUESTED = "unmask-requested"
    SCOPE_PRESERVED = "scope-preserved"
    DOSSIER_CLOSED = "dossier-closed"
    DELIVERED = "delivered"
    ACKNOWLEDGED = "acknowledged"
    CANCELLED_BY_REVIEWER = "cancelled-by-reviewer"
    CANCELLED_BY_AGENCY = "cancelled-by-agency"
    REVOKED = "revoked"
    CANCELLED_WITH_FIRST = "cancelled-with-first"
    TOOK_EFFECT = "took-effect"


DISCLOSURE = frozenset({"disclosure"})
SUPPLEMENTARY = frozenset({"supplementary"})
PRESERVATION = frozenset({"preservation", "emergency-preservation"})
REVOCATION = frozenset({"revocation"})
OPENING = DISCLOSURE | SUPPLEMENTARY | PRESERVATION
"""Kinds of document that a grant follows."""


@dataclasses.dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table.

    Attributes:
        before: Where the case may stand; empty: it does not exist yet.
        after: Where it stands then.
        kinds: Kinds of document that it is for.
        confidential: Whether the cause rests on stored data, so that reviewers alone may know it.
    """

    before: frozenset[State]
    after: State
    kinds: frozenset[str]
    confidential: bool = False


def _row(before: State, after: State, kinds: frozenset[str], *, confidential: bool = False) -> Transition:
    return Transition(frozenset({before}), after, kinds, confidential)


TRANSITIONS: dict[Cause, Transition] = {
    Cause.ACCEPTED: Transition(frozenset(), State.RECEIVED, OPENING | REVOCATION),
    Cause.REVIEW_ASKED: _row(State.RECEIVED, State.IN_REVIEW, DISCLOSURE, confidential=True),
    Cause.SCOPE_ALLOWED: _row(State.RECEIVED, State.GRANTING, OPENING, confidential=True),
    Cause.NOTHING_FOUND: _row(State.RECEIVED, State.NOTHING, DISCLOSURE, confidential=True),
    Cause.OVER_BUDGET: _row(State.RECEIVED, State.REFUSED, DISCLOSURE, confidential=True),
    Cause.REVIEW_APPROVED: _row(State.IN_REVIEW, State.GRANTING, DISCLOSURE, confidential=True),
    Cause.REVIEW_DENIED: _row(State.IN_REVIEW, State.REFUSED, DISCLOSURE, confidential=True),
    Cause.REVIEW_LAPSED: _row(State.IN_REVIEW, State.REFUSED, DISCLOSURE, confidential=True),
    Cause.FIRST_NOT_GRANTED: _row(State.GRANTING, State.REFUSED, SUPPLEMENTARY),
    Cause.DOCUMENT_EXPIRED: _row(State.GRANTING, State.REFUSED, OPENING),
    Cause.GRANT_LOGGED: _row(State.GRANTING, State.GRANTED, OPENING),
    Cause.ANSWER_LOGGED: _row(State.NOTHING, State.NO_DATA, DISCLOSURE),
    Cause.UNMASK_REQUESTED: _row(State.GRANTED, State.REQUESTED, SUPPLEMENTARY),
    Cause.SCOPE_PRESERVED: _row(State.GRANTED, State.PRESERVED, PRESERVATION),
    Cause.DOSSIER_CLOSED: _row(State.GRANTED, State.DOSSIER_CLOSED, DISCLOSURE),
    Cause.DELIVERED: _row(State.DOSSIER_CLOSED, State.DELIVERED, DISCLOSURE),
    Cause.ACKNOWLEDGED: _row(State.DELIVERED, State.ACKNOWLEDGED, DISCLOSURE),
    Cause.CANCELLED_BY_REVIEWER: Transition(UNDECIDED | GRANTED, State.CANCELLED, OPENING | REVOCATION),
    Cause.CANCELLED_BY_AGENCY: Transition(UNDECIDED | GRANTED, State.CANCELLED, OPENING),
    Cause.REVOKED: Transition(UNDECIDED | GRANTED, State.CANCELLED, OPENING | REVOCATION),
    Cause.CANCELLED_WITH_FIRST: Transition(UNDECIDED | GRANTED, State.CANCELLED, SUPPLEMENTARY),
    Cause.TOOK_EFFECT: _row(State.RECEIVED, State.CANCELLED, REVOCATION),
}
"""What may move a case: the only place that says so."""


def opened(kind: str) -> State:
    """Return where the case of a document that was just accepted stands.

    Args:
        kind: Kind of the document.

    Raises:
        RefusedError: `CASE_TRANSITION`: the table knows no such kind.
    """
    row = TRANSITIONS[Cause.ACCEPTED]
    if kind not in row.kinds:
        raise RefusedError("CASE_TRANSITION", "this kind of document opens no case", kind=Kind.PRECONDITION)
    return row.after


def after(kind: str, state: State, cause: Cause) -> State:
    """Return where a case stands after a cause.

    Args:
        kind: Kind of its document.
        state: Where it stands.
        cause: Why it moves.

    Raises:
        RefusedError: `CASE_TRANSITION`: the table lists no such transition.
    """
    row = TRANSITIONS[cause]
    if kind not in row.kinds or state not in row.before:
        raise RefusedError(
            "CASE_TRANSITION", f"a case that is {state} does not become {row.after}", kind=Kind.PRECONDITION
        )
    return row.after
