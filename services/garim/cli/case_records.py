"""Fetching what warrants, and for second requests custody, know of cases, as plain values for printing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from garim.api.custody.v1 import custody_pb2
from garim.api.warrants.v1 import warrants_pb2 as pb
from garim.cli.session import Session
from garim.cli.unmask_flow import STATES as UNMASK_STATES
from garim.documents.fields import parse_instant, write_instant
from garim.statements.refusal import RefusedError

OVERDUE = "overdue"
PAGE = 1000
STANDINGS = {
    pb.DUE_STANDING_OPEN: "open",
    pb.DUE_STANDING_OVERDUE: OVERDUE,
    pb.DUE_STANDING_DEFERRED: "deferred",
    pb.DUE_STANDING_DONE: "done",
    pb.DUE_STANDING_ENDS: "ends",
}
_ASKS_CUSTODY = frozenset({"clerk", "auditor", "custodian"})


def acting_role(who: str, roles: tuple[str, ...]) -> str:
    """Return the role of who acts, where a command serves several.

    Args:
        who: As `--as` names them: ROLE/NAME, a name, or empty.
        roles: Roles that may; the first one where none is named.
    """
    role = who.rpartition("/")[0]
    return role if role in roles else roles[0]


def instant_of(text: str, field: str) -> int:
    """Read an instant from the command line.

    Raises:
        RefusedError: `INSTANT_FORM`.
    """
    try:
        return parse_instant(text)
    except (ValueError, OverflowError):
        raise RefusedError(
            "INSTANT_FORM", "write 2026-11-02, or 2026-11-02T09:00:00+09:00", field=field
        ) from None


def shown_instant(instant_ms: int) -> str | None:
    """Return an instant as people read it; None where it did not happen."""
    return write_instant(instant_ms - instant_ms % 1000) if instant_ms else None


def korean_time(instant_ms: int) -> str:
    """Return an instant as offices and spreadsheets in Korea write it, in their own time (UTC+09:00)."""
    return write_instant(instant_ms - instant_ms % 1000)[:19].replace("T", " ")


def summary_of(one: pb.CaseSummary) -> dict[str, Any]:
    """Return a case in short."""
    return {
        "case": one.case_id.hex(),
        "kind": one.kind or None,
        "stage": one.stage,
        "authority": one.authority or None,
        "number": one.number or None,
        "case_number": one.case_number or None,
        "document": one.document_digest.hex() or None,
        "received": shown_instant(one.received_at_ms),
    }


def due_of(one: pb.DueItem) -> dict[str, Any]:
    """Return a due item."""
    return {
        "case": one.case_id.hex(),
        "number": one.number,
        "item": one.item,
        "standing": STANDINGS.get(one.standing, "unknown"),
        "due": shown_instant(one.due_at_ms),
        "basis": list(one.basis),
        "settled": shown_instant(one.settled_at_ms),
        "who": one.who or None,
        "ground": one.ground or None,
        "reason": one.reason or None,
    }


def cases_in(own: Session, state: pb.CaseState.ValueType) -> Iterator[pb.CaseSummary]:
    """Yield every case in a state, newest first."""
    token = ""
    while True:
        request = pb.ListCasesRequest(state=state, page_size=PAGE, page_token=token)
        answer = own.warrants.ListCases(request)
        yield from answer.cases
        token = answer.next_page_token
        if not token:
            return


def due_in(own: Session, *, with_done: bool) -> Iterator[pb.DueItem]:
    """Yield what is due in all cases, earliest first."""
    token = ""
    while True:
        request = pb.ListDueItemsRequest(with_done=with_done, page_size=PAGE, page_token=token)
        answer = own.warrants.ListDueItems(request)
        yield from answer.items
        token = answer.next_page_token
        if not token:
            return


def register_in(own: Session, from_ms: int, to_ms: int) -> Iterator[pb.RegisterLine]:
    """Yield the register's lines of what was received in a time, oldest first."""
    token = ""
    while True:
        answer = own.warrants.ListRegister(
            pb.ListRegisterRequest(from_ms=from_ms, to_ms=to_ms, page_size=PAGE, page_token=token)
        )
        yield from answer.lines
        token = answer.next_page_token
        if not token:
            return


def timeline_of(own: Session, case: bytes) -> pb.GetCaseTimelineResponse:
    """Return what warrants knows of a case, or of a document that was refused.

    Raises:
        RefusedError: `CASE_UNKNOWN`.
    """
    return own.warrants.GetCaseTimeline(pb.GetCaseTimelineRequest(case_id=case))


def unmasking_of(own: Session, summary: pb.CaseSummary) -> dict[str, Any] | None:
    """Return how custody's request stands; None where there is none, or this role may not ask."""
    if not summary.unmask_request_id or own.person.role not in _ASKS_CUSTODY:
        return None
    request = custody_pb2.GetUnmaskRequestRequest(request_id=summary.unmask_request_id)
    known = own.custody.GetUnmaskRequest(request).summary
    return {
        "request": known.request_id.hex(),
        "state": UNMASK_STATES.get(known.state, "unknown"),
        "approvals": known.approvals,
        "denials": known.denials,
        "needed": known.needed,
        "opened": shown_instant(known.opened_at_ms),
        "expires": shown_instant(known.expires_at_ms),
    }
