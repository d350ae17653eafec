"""What people ask of cases, and record about them: timelines, due items, the register."""

from __future__ import annotations

import dataclasses

from garim.documents.claims import Supplementary
from garim.documents.policy import DAY_MS
from garim.kit.identity import Peer
from garim.statements import strict_json
from garim.statements.refusal import Kind, RefusedError
from garim.statements.scope import round_up
from garim.warrants.cases import NOTHING_TO_CHANGE, Case, Change, Note, RefusedDocument, Settlement
from garim.warrants.duties import (
    NOTIFY,
    PARTICIPATION,
    DueItem,
    Standing,
    Terms,
    due_items,
    tells_of_review,
    terms_of,
)
from garim.warrants.machine import Cause, State
from garim.warrants.means import Means
from garim.warrants.ports import View

PAGE = 50
MAX_PAGE = 1000
MAX_REASON = 500
_DECIDED = (
    Cause.GRANT_LOGGED,
    Cause.ANSWER_LOGGED,
    Cause.OVER_BUDGET,
    Cause.REVIEW_DENIED,
    Cause.REVIEW_LAPSED,
    Cause.FIRST_NOT_GRANTED,
    Cause.DOCUMENT_EXPIRED,
    Cause.TOOK_EFFECT,
)


@dataclasses.dataclass(frozen=True, slots=True)
class RegisterLine:
    """One document in the register.

    Attributes:
        received: The case, or the document refused before it opened one.
        decided_ms: When it was granted, refused or answered, milliseconds since 1970; None before.
        messages: Messages handed over, rounded as forecasts are; 0 before delivery.
        identities: Identities and masked values in the dossier, rounded alike; 0 before delivery.
        pseudonyms: How many a supplementary document names.
        subjects: How many subjects the document names.
    """

    received: Case | RefusedDocument
    decided_ms: int | None
    messages: int = 0
    identities: int = 0
    pseudonyms: int = 0
    subjects: int = 0


class Casebook:
    """The use cases about what has become of cases.

    Args:
        means: What they work with.
    """

    def __init__(self, means: Means) -> None:
        self._means = means

    def record(self, case_id: bytes) -> Case | RefusedDocument:
        """Return a case, or the record of a document that was refused before it opened one.

        Raises:
            RefusedError: `CASE_UNKNOWN`.
        """
        found = self._means.store.by_id(case_id) or self._means.store.refused(case_id)
        if found is None:
            raise RefusedError("CASE_UNKNOWN", "there is no such case", kind=Kind.NOT_FOUND)
        return found

    def due_of(self, case: Case) -> tuple[DueItem, ...]:
        """Return everything due in a case, earliest first.

        Raises:
            RefusedError: Those of `Means.policy_of`.
        """
        return due_items(case, self._terms(case), self._means.clock.now_ms())

    def due(self, *, with_done: bool, confidential: bool, size: int, token: str) -> tuple[list[DueItem], str]:
        """Return what is due in all cases, earliest first, and the token of the next page.

        Args:
            with_done: Whether what is done is wanted too.
            confidential: Whether the caller is a reviewer, who may know which cases were reviewed.
            size: At most this many; 50 where it is 0, 1,000 at most.
            token: From an earlier answer, or empty.

        Raises:
            RefusedError: `PAGE_TOKEN`, those of `Means.policy_of`.
        """
        offset, limit = _page(size, token)
        found = [one for one in self.everything_due() if confidential or not tells_of_review(one)]
        wanted = [one for one in found if with_done or one.standing is not Standing.DONE]
        following = str(offset + limit) if len(wanted) > offset + limit else ""
        return wanted[offset : offset + limit], following

    def everything_due(self) -> list[DueItem]:
        """Return the due items of every case, earliest first.

        Raises:
            RefusedError: Those of `Means.policy_of`.
        """
        now_ms = self._means.clock.now_ms()
        items: list[DueItem] = []
        before: int | None = None
        while rows := self._means.store.page(frozenset(State), before, MAX_PAGE):
            before = rows[-1][0]
            for _, case in rows:
                items += due_items(case, self._terms(case), now_ms)
        return sorted(items, key=lambda one: (one.due_ms, one.case, one.item))

    def settle(
        self, case_id: bytes, item: str, peer: Peer, *, reason: str, ground: str, until_ms: int | None
    ) -> DueItem:
        """Record that a duty is done, or put off; the same again changes nothing.

        Args:
            case_id: Which case.
            item: Name of the due item.
            peer: Who says so, from the TLS certificate.
            reason: What was done, or why it is put off.
            ground: Ground in the policy on which it is put off or falls away; empty where it was done.
            until_ms: Until when it is put off, milliseconds since 1970; None where it is done.

        Raises:
            RefusedError: `CASE_UNKNOWN`, `DUE_UNKNOWN`, `DUE_STATE`, `DUE_REASON`, `DUE_GROUND`,
                `DUE_DEFERRAL`, those of `Means.policy_of`.
        """
        case = self.record(case_id)
        if not isinstance(case, Case):
            raise _due("DUE_UNKNOWN", "nothing is due for a document that was refused", "item")
        now_ms = self._means.clock.now_ms()
        terms = self._terms(case)
        settlement = Settlement(item, now_ms, peer.path, reason.strip(), ground, until_ms)
        _demand_grounded(settlement, terms, now_ms)

        def settled(view: View) -> Change:
            known = next((one for one in due_items(view.case, terms, now_ms) if one.item == item), None)
            if _same(known, settlement):
                return NOTHING_TO_CHANGE
            _demand_open(known, settlement)
            return Change(settlement=settlement, notes=(_note(view.case, settlement),))

        case = self._means.store.settle(case.id, settled)
        return next(one for one in due_items(case, terms, now_ms) if one.item == item)

    def register(self, from_ms: int, to_ms: int, size: int, token: str) -> tuple[list[RegisterLine], str]:
        """Return the register's lines of what was received in a time, and the token of the next page.

        Args:
            from_ms: First millisecond, since 1970.
            to_ms: First millisecond behind.
            size: At most this many; 50 where it is 0, 1,000 at most.
            token: From an earlier answer, or empty.

        Raises:
            RefusedError: `REGISTER_PERIOD`, `PAGE_TOKEN`.
        """
        if from_ms >= to_ms:
            raise RefusedError("REGISTER_PERIOD", "the period must end after its beginning", field="to")
        offset, limit = _page(size, token)
        found = self._means.store.received_between(from_ms, to_ms, offset, limit + 1)
        following = str(offset + limit) if len(found) > limit else ""
        return [_line(one) for one in found[:limit]], following

    def _terms(self, case: Case) -> Terms:
        return terms_of(self._means.policy_of(case).version, case.received_ms)


def _line(received: Case | RefusedDocument) -> RegisterLine:
    if isinstance(received, RefusedDocument):
        return RegisterLine(received, received.received_ms)
    claims = received.claims
    handed = received.delivery if received.delivery and received.delivery.delivered_ms else None
    return RegisterLine(
        received,
        received.when(*_DECIDED),
        messages=round_up(handed.stated.messages) if handed else 0,
        identities=round_up(handed.stated.identities) if handed else 0,
        pseudonyms=len(claims.identities) if isinstance(claims, Supplementary) else 0,
        subjects=len(getattr(claims, "subjects", ())),
    )


def _demand_grounded(settlement: Settlement, terms: Terms, now_ms: int) -> None:
    if not settlement.reason or len(settlement.reason) > MAX_REASON:
        raise _due("DUE_REASON", f"say what was done, or why not, in {MAX_REASON} characters", "reason")
    grounds: tuple[str, ...] = ()
    if settlement.until_ms is not None:
        if settlement.item != NOTIFY:
            raise _due("DUE_DEFERRAL", f"only {NOTIFY} can be put off", "item")
        longest_ms = now_ms + terms.deferral_days * DAY_MS
        if not now_ms < settlement.until_ms <= longest_ms:
            raise _due(
                "DUE_DEFERRAL", f"put it off until a time within {terms.deferral_days} days", "deferred_until"
            )
        grounds = terms.deferral_grounds
    elif settlement.item == PARTICIPATION:
        grounds = ("", *terms.participation_exceptions)
    else:
        grounds = ("",)
    if settlement.ground not in grounds:
        named = ", ".join(one for one in grounds if one)
        raise _due("DUE_GROUND", f"name a ground: {named}" if named else "name no ground", "ground")


def _same(known: DueItem | None, settlement: Settlement) -> bool:
    if known is None or known.settled is None:
        return False
    return dataclasses.replace(known.settled, at_ms=settlement.at_ms) == settlement


def _demand_open(known: DueItem | None, settlement: Settlement) -> None:
    if known is None:
        raise _due("DUE_UNKNOWN", "nothing of this name is due in this case", "item")
    if settlement.item not in {NOTIFY, PARTICIPATION}:
        raise _due("DUE_STATE", "it ends by itself, with what happens to the case", "item")
    if known.standing is Standing.DONE:
        raise _due("DUE_STATE", "it is done already", "item")


def _note(case: Case, settlement: Settlement) -> Note:
    body = strict_json.dump(
        {
            "case": case.id.hex(),
            "item": settlement.item,
            "person": settlement.who,
            "reason": settlement.reason,
            "ground": settlement.ground,
            "time": settlement.at_ms,
            "until": settlement.until_ms,
        }
    )
    kind = "duty-done" if settlement.until_ms is None else "duty-deferred"
    return Note(kind, body, f"{case.id.hex()}-{settlement.item}-{len(case.settlements)}")


def _page(size: int, token: str) -> tuple[int, int]:
    if token and not (token.isascii() and token.isdigit() and len(token) <= 9):
        raise RefusedError("PAGE_TOKEN", "send the token of an earlier answer", field="page_token")
    return int(token or 0), min(size or PAGE, MAX_PAGE)


def _due(reason: str, message: str, field: str) -> RefusedError:
    return RefusedError(reason, message, kind=Kind.PRECONDITION, field=field)
