"""The forecast: how much a first request would touch, and what follows from it."""

from __future__ import annotations

import dataclasses
import hashlib

from garim.documents.claims import Disclosure
from garim.documents.policy import ForecastFigures, review_causes
from garim.documents.policy_model import PolicyVersion
from garim.statements.dsse import Envelope
from garim.statements.governance import Governance
from garim.statements.refusal import Kind, RefusedError
from garim.statements.scope import Forecast, ScopeTicket
from garim.warrants.cases import NOTHING_TO_CHANGE, Case, Change, Reason
from garim.warrants.intake import refusal_note
from garim.warrants.machine import Cause, State
from garim.warrants.means import Means
from garim.warrants.ports import View

SCOPE_REFUSED = Reason("SCOPE_REFUSED", "", "the scope is refused; ask for less")
"""The one reason outward of every refusal that rests on stored data: it tells nothing about them."""

_CAUSES = {
    "ALWAYS": "policy has reviewers decide every disclosure",
    "BYSTANDERS": "the forecast counts many bystanders",
    "SUBJECTS": "the document names many subjects",
    "OVERLAP": "the scope overlaps that of an earlier case",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Counted:
    """A verified forecast.

    Attributes:
        envelope: As the store signed it.
        forecast: What it says.
        destroyed_epochs: How many epochs of the period are past retention.
    """

    envelope: Envelope
    forecast: Forecast
    destroyed_epochs: int


def foresee(means: Means, case: Case) -> Case:
    """Have the store count what a first request would touch, and decide what follows.

    Args:
        means: What the service works with.
        case: A case that was received.

    Raises:
        RefusedError: Those of custody and of `Means.policy_of`; `FORECAST_UNAVAILABLE`; `STATEMENT_*`;
            `FORECAST_WRONG`.
    """
    claims = case.claims
    if not isinstance(claims, Disclosure):
        raise TypeError("only a first request has a forecast")
    governance = means.governance.current()
    version = means.policy_of(case).version
    counted = _count(means, case, governance)

    def judged(view: View) -> Change:
        if view.case.state is not State.RECEIVED:
            return NOTHING_TO_CHANGE
        return _judged(means, view, claims, counted, version)

    return means.store.settle(case.id, judged)


def _count(means: Means, case: Case, governance: Governance) -> Counted:
    now_ms = means.clock.now_ms()
    ticket_envelope = means.custody.forecast_ticket(case.document)
    ticket = ScopeTicket.verify(ticket_envelope, governance.keys_of("custody"), mesh=means.mesh, now=now_ms)
    if ticket.purpose != "forecast" or ticket.document != case.identity.digest:
        raise _wrong("custody's ticket is for something else")
    # The store forecasts a document once and may have done so for an earlier ticket, whose answer was lost.
    digest = hashlib.sha256(ticket_envelope.payload).hexdigest()
    case = means.store.settle(case.id, lambda _view: Change(ticket=digest))
    envelope = means.messages.forecast(ticket_envelope)
    forecast = Forecast.verify(envelope, governance.keys_of("messages"), mesh=means.mesh, now=now_ms)
    # A store speaks for itself only, whatever other store's key is pinned.
    Forecast.verify(envelope, governance.keys_of("messages", forecast.store), mesh=means.mesh, now=now_ms)
    if forecast.document != case.identity.digest or forecast.ticket not in case.tickets:
        raise _wrong("the store's forecast is for something else")
    return Counted(envelope, forecast, ticket.destroyed_epochs)


def _judged(means: Means, view: View, claims: Disclosure, counted: Counted, version: PolicyVersion) -> Change:
    """Return what the forecast means for a case; runs inside the transaction that keeps it."""
    forecast = counted.forecast
    if forecast.messages == 0 and forecast.opaque == 0:
        return Change(cause=Cause.NOTHING_FOUND, forecast=counted.envelope, remarks=_why_nothing(counted))
    overlaps = view.overlapping(forecast.conversation_tags)
    figures = ForecastFigures(forecast.bystanders, overlaps=bool(overlaps))
    try:
        causes = review_causes(claims, figures, version)
    except RefusedError:
        return Change(
            cause=Cause.OVER_BUDGET,
            forecast=counted.envelope,
            refusal=(SCOPE_REFUSED,),
            remarks=(Reason("BYSTANDER_BUDGET", "", "the forecast is over the budget of bystanders"),),
            notes=(refusal_note(means, view.case, SCOPE_REFUSED.reason),),
        )
    return Change(
        cause=Cause.REVIEW_ASKED if causes else Cause.SCOPE_ALLOWED,
        forecast=counted.envelope,
        conversations=forecast.conversation_tags,
        remarks=tuple(Reason(cause, "", _CAUSES[cause]) for cause in causes),
    )


def _why_nothing(counted: Counted) -> tuple[Reason, ...]:
    """Return for the reviewers why there is nothing; the applicant hears `no data` alone."""
    remarks = []
    if counted.forecast.conversations == 0:
        remarks.append(
            Reason("NO_CONVERSATION", "", "no subject is known here, or none was in a conversation then")
        )
    else:
        remarks.append(Reason("NO_MESSAGE", "", "the subjects' conversations hold nothing in the period"))
    if counted.destroyed_epochs:
        remarks.append(
            Reason(
                "ALREADY_DESTROYED",
                "",
                f"the keys of {counted.destroyed_epochs} epochs of the period are destroyed",
            )
        )
    return tuple(remarks)


def _wrong(message: str) -> RefusedError:
    return RefusedError("FORECAST_WRONG", message, kind=Kind.DATA_LOSS)
