"""What is due in a case: duties that people must do, and times at which something ends by itself.

Nothing here is stored: items follow from the case, its policy and the time, so that a change of any of them
shows at once. What is stored is that a duty was done or put off.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator

from garim.documents.claims import Disclosure, EmergencyPreservation, Keeping
from garim.documents.policy import DAY_MS
from garim.documents.policy_model import PolicyVersion, cited
from garim.statements.grants import UnmaskGrant
from garim.warrants.cases import SERVICE, Case, Settlement
from garim.warrants.machine import GRANTED, SUPPLEMENTARY, Cause, State

HOUR_MS = 3_600_000

REVIEW = "review"
PRESERVE = "preserve-scope"
PARTICIPATION = "participation"
NOTIFY = "notify-subjects"
DOCUMENT_END = "document-end"
DOSSIER_END = "dossier-end"
PRESERVATION_END = "preservation-end"
EMERGENCY_END = "emergency-end"
"""A court must have decided by then, 36 hours at most after the request's issue."""
UNMASK_END = "unmask-end"


class Standing(enum.StrEnum):
    """How a due item stands."""

    OPEN = "open"
    OVERDUE = "overdue"
    DEFERRED = "deferred"
    DONE = "done"
    ENDS = "ends"
    """Not for people: something ends by itself then."""


@dataclasses.dataclass(frozen=True, slots=True)
class Terms:
    """What the policy in force at a document's receipt asks for.

    Attributes:
        review_hours: From receipt to the reviewers' decision.
        notify_days: From delivery until the subjects are notified.
        notify_basis: Where the law has it.
        deferral_grounds: On which grounds alone the notification may wait.
        deferral_days: How long one deferral lasts at most, before it is looked at again; 0: none may be.
        participation_days: From the grant until the suspect's part is on record.
        participation_basis: Where the law has it.
        participation_exceptions: On which grounds alone that part falls away.
    """

    review_hours: int
    notify_days: int
    notify_basis: tuple[str, ...]
    deferral_grounds: tuple[str, ...]
    deferral_days: int
    participation_days: int
    participation_basis: tuple[str, ...]
    participation_exceptions: tuple[str, ...]


def terms_of(version: PolicyVersion, instant_ms: int) -> Terms:
    """Return what a policy asks for.

    Args:
        version: The policy in force when the document was received.
        instant_ms: That time, at which a statute must hold to be cited; milliseconds since 1970.
    """
    notify, participation = version.duties.notify_subjects, version.duties.participation
    deferral = notify.deferral
    return Terms(
        review_hours=version.deadlines.review_hours,
        notify_days=notify.days,
        notify_basis=cited(notify.basis, instant_ms),
        deferral_grounds=tuple(one.id for one in deferral.causes) if deferral else (),
        deferral_days=deferral.look_again_days if deferral else 0,
        participation_days=participation.days,
        participation_basis=cited(participation.basis, instant_ms),
        participation_exceptions=tuple(one.id for one in participation.exceptions),
    )


@dataclasses.dataclass(frozen=True, slots=True)
class DueItem:
    """One thing that is due in a case.

    Attributes:
        case: Id of the case.
        number: The document's number at its authority.
        item: Its name.
        standing: How it stands.
        due_ms: When it is due or ends, milliseconds since 1970.
        basis: Where the law asks for it; empty where the operator's policy or the document does.
        settled: That it was done or put off.
    """

    case: bytes
    number: str
    item: str
    standing: Standing
    due_ms: int
    basis: tuple[str, ...] = ()
    settled: Settlement | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class _Duty:
    item: str
    due_ms: int
    basis: tuple[str, ...] = ()
    done: Settlement | None = None


def due_items(case: Case, terms: Terms, now_ms: int) -> tuple[DueItem, ...]:
    """Return everything due in a case, done or not, earliest first; what has ended is left out.

    Args:
        case: The case.
        terms: What its policy asks for.
        now_ms: Milliseconds since 1970.
    """
    items = [_item(case, one, now_ms) for one in _duties(case, terms)]
    items += [
        DueItem(case.id, case.identity.number, item, Standing.ENDS, ends_ms)
        for item, ends_ms in _ends(case)
        if now_ms < ends_ms
    ]
    return tuple(sorted(items, key=lambda one: (one.due_ms, one.item)))


def tells_of_review(item: DueItem) -> bool:
    """Tell whether an item shows that a decided case was reviewed, which only reviewers may know."""
    return item.item == REVIEW and item.standing is Standing.DONE


def _item(case: Case, duty: _Duty, now_ms: int) -> DueItem:
    mine = [one for one in case.settlements if one.item == duty.item]
    settled = duty.done or (mine[-1] if mine else None)
    due_ms = duty.due_ms
    if settled is not None and settled.until_ms is None:
        standing = Standing.DONE
    elif settled is not None and settled.until_ms is not None:
        due_ms = max(due_ms, settled.until_ms)
        standing = Standing.DEFERRED if now_ms < due_ms else Standing.OVERDUE
    else:
        standing = Standing.OPEN if now_ms < due_ms else Standing.OVERDUE
    return DueItem(case.id, case.identity.number, duty.item, standing, due_ms, duty.basis, settled)


def _duties(case: Case, terms: Terms) -> Iterator[_Duty]:
    asked_ms, granted_ms = case.when(Cause.REVIEW_ASKED), case.when(Cause.GRANT_LOGGED)
    if asked_ms is not None:
        due_ms = case.received_ms + terms.review_hours * HOUR_MS
        yield _Duty(REVIEW, due_ms, done=_by_itself(case, REVIEW, Cause.REVIEW_ASKED))
    if isinstance(case.claims, Keeping) and granted_ms is not None and case.state in GRANTED:
        done = _recorded(case, PRESERVE, Cause.SCOPE_PRESERVED)
        yield _Duty(PRESERVE, granted_ms + DAY_MS, done=done)
    if isinstance(case.claims, Disclosure) and granted_ms is not None:
        delivered = case.delivery is not None and case.delivery.delivered_ms is not None
        # What was handed over before a case was cancelled stays handed over, and its duties stay.
        if case.state in GRANTED or delivered:
            due_ms = granted_ms + terms.participation_days * DAY_MS
            yield _Duty(PARTICIPATION, due_ms, terms.participation_basis)
    if case.delivery is not None and case.delivery.delivered_ms is not None:
        due_ms = case.delivery.delivered_ms + terms.notify_days * DAY_MS
        yield _Duty(NOTIFY, due_ms, terms.notify_basis)


def _ends(case: Case) -> Iterator[tuple[str, int]]:
    claims = case.claims
    if case.state not in GRANTED:
        return
    if isinstance(claims, Disclosure) and claims.expires_ms is not None and case.state is State.GRANTED:
        yield DOCUMENT_END, claims.expires_ms
    if case.delivery is not None and case.delivery.stated.unmask_until is not None:
        yield DOSSIER_END, case.delivery.stated.unmask_until
    if isinstance(claims, Keeping):
        item = EMERGENCY_END if isinstance(claims, EmergencyPreservation) else PRESERVATION_END
        yield item, claims.until_ms
    if case.kind in SUPPLEMENTARY and case.statement is not None:
        grant = UnmaskGrant.from_bytes(case.statement.statement.payload)
        if grant.expires is not None:
            yield UNMASK_END, grant.expires


def _by_itself(case: Case, item: str, begun: Cause) -> Settlement | None:
    """Return that a duty ended with the transition after the one that began it."""
    causes = [one.cause for one in case.events]
    following = case.events[causes.index(begun) + 1 :]
    return Settlement(item, following[0].at_ms, SERVICE, "", "", None) if following else None


def _recorded(case: Case, item: str, cause: Cause) -> Settlement | None:
    at_ms = case.when(cause)
    return None if at_ms is None else Settlement(item, at_ms, "service/redaction", "", "", None)
