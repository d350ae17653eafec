"""The use cases of warrants, one method for each RPC."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable

from garim.documents.claims import Revocation
from garim.kit.convert import Received
from garim.kit.identity import Peer
from garim.statements import subjects
from garim.statements.cases import CaseState, CaseStatus
from garim.statements.dsse import Envelope
from garim.statements.refusal import Kind, RefusedError
from garim.warrants.casebook import Casebook
from garim.warrants.cases import NOTHING_TO_CHANGE, SERVICE, Case, Change, Note, Reason
from garim.warrants.forecasts import foresee
from garim.warrants.grants import conclude, granted, logged_anew
from garim.warrants.handling import Handling
from garim.warrants.hi1_rows import Taken
from garim.warrants.intake import is_answer, note_refusal, take_in
from garim.warrants.machine import FINAL, GRANTED, Cause, State
from garim.warrants.means import Means
from garim.warrants.ports import View
from garim.warrants.reviews import ENTRY_CANCEL, Reviewed, cancel, decide, lapse, review_subject

STATUS_LIFE_MS = 60_000
NONCE_BYTES = 32
DIGEST_BYTES = 32
MAX_PAGE = 1000
PAGE = 50

_UNDECIDED: CaseState = "in-review"
_GRANTED: CaseState = "granted"
_STATUS: dict[State, CaseState] = {
    **dict.fromkeys(GRANTED, _GRANTED),
    State.NO_DATA: "no-data",
    State.REFUSED: "refused",
    State.CANCELLED: "cancelled",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Submitted:
    """What became of a document.

    Attributes:
        case: Its case; None where it was refused before one was opened.
        reasons: All reasons of a refusal.
        refusal: Id of the record of a refusal before a case was opened.
    """

    case: Case | None
    reasons: tuple[Reason, ...] = ()
    refusal: bytes = b""


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """A case with the digests that decisions on it name.

    Attributes:
        case: The case.
        review_subject: For a reviewer's decision, hexadecimal; empty where there is nothing to decide.
        cancel_subject: For a decision that cancels it, hexadecimal.
    """

    case: Case
    review_subject: str
    cancel_subject: str


class Warrants:
    """The service.

    Args:
        means: What it works with.
        count: Counts an event with its reason.

    Attributes:
        casebook: What people ask of cases, and record about them.
        handling: What redaction records of granted cases.
    """

    def __init__(self, means: Means, count: Callable[[str, str], None]) -> None:
        self._means = means
        self._count = count
        self.casebook = Casebook(means)
        self.handling = Handling(means)

    def submit(self, received: Received, filer: Peer, message: Taken | None = None) -> Submitted:
        """Take in a document and take its case as far as it goes; the same payload goes on where it stands.

        Args:
            received: The document as received.
            filer: Who files it, from the TLS certificate.
            message: The HI1 message that it is, if it came as one.

        Raises:
            RefusedError: What kept the service from judging or from going on; the same call may succeed
                later.
        """
        try:
            case = take_in(self._means, received, filer, message)
        except RefusedError as refusal:
            if not is_answer(refusal):
                raise
            refused = note_refusal(self._means, received, refusal, filer)
            for one in refused.reasons:
                self._count("documents_refused", one.reason)
            return Submitted(None, refused.reasons, refused.id)
        case = self._advance(case)
        self._count("documents_answered", case.state.value)
        return Submitted(case, case.refusal)

    def resume(self, case: Case) -> Case:
        """Take a case that is not decided as far as it goes now, and return it as it then stands."""
        with contextlib.suppress(RefusedError):
            return self._advance(case)
        return self._known(case.id)

    def show(self, case_id: bytes) -> Shown:
        """Return a case.

        A grant whose log was succeeded is logged anew; a second request's when its document is filed again,
        since custody must hear of it.

        Raises:
            RefusedError: `CASE_UNKNOWN`; those of the log where a grant is logged anew, and of
                `Means.policy_of` where it is in review.
        """
        case = self._known(case_id)
        if case.kind != "supplementary":
            case = logged_anew(self._means, case)
        subject = ""
        if case.state is State.IN_REVIEW:
            subject = review_subject(self._means, case)
        return Shown(case, subject, subjects.cancel(case.id, case.identity.digest))

    def page(self, states: frozenset[State], size: int, token: str) -> tuple[list[Case], str]:
        """Return cases, newest first, and the token of the next page (empty at the end).

        Args:
            states: Only these.
            size: At most this many; 50 where it is 0, 1,000 at most.
            token: From an earlier answer, or empty.

        Raises:
            RefusedError: `PAGE_TOKEN`.
        """
        if token and not (token.isascii() and token.isdigit() and len(token) <= 18):
            raise RefusedError("PAGE_TOKEN", "send the token of an earlier answer", field="page_token")
        limit = min(size or PAGE, MAX_PAGE)
        rows = self._means.store.page(states, int(token) if token else None, limit + 1)
        following = str(rows[limit - 1][0]) if len(rows) > limit else ""
        return [case for _, case in rows[:limit]], following

    def decide(self, case_id: bytes, decision: Envelope, reviewer: Peer) -> Reviewed:
        """Record a reviewer's decision; see `reviews.decide`.

        Raises:
            RefusedError: `CASE_UNKNOWN` and those of `reviews.decide`.
        """
        return decide(self._means, self._known(case_id), decision, reviewer)

    def cancel(self, case_id: bytes, decision: Envelope, reviewer: Peer) -> Case:
        """Cancel a case for good; see `reviews.cancel`.

        Raises:
            RefusedError: `CASE_UNKNOWN` and those of `reviews.cancel`.
        """
        return cancel(self._means, self._known(case_id), decision, reviewer)

    def status(self, document: bytes, nonce: bytes) -> Envelope:
        """Return a case's signed status, good for a minute and for this nonce.

        Args:
            document: SHA-256 of the document's payload.
            nonce: 32 bytes.

        Raises:
            RefusedError: `NONCE`, `CASE_UNKNOWN`.
        """
        if len(nonce) != NONCE_BYTES:
            raise RefusedError("NONCE", "send 32 random bytes", field="nonce")
        checkpoint = self._means.log.checkpoint_seen()
        case = self._means.store.by_document(document.hex()) if len(document) == DIGEST_BYTES else None
        if case is None:
            raise _unknown()
        now_ms = self._means.clock.now_ms()
        status = CaseStatus(
            mesh=self._means.mesh,
            purpose="case-status",
            issued=now_ms,
            expires=now_ms + STATUS_LIFE_MS,
            checkpoint=checkpoint,
            case=case.id.hex(),
            document=case.identity.digest,
            state=_STATUS.get(case.state, _UNDECIDED),
            nonce=nonce.hex(),
        )
        return status.sign(self._means.sign)

    def lapse_reviews(self) -> None:
        """Refuse for good every case on which the reviewers have not decided in time.

        Raises:
            RefusedError: Those of `Means.policy_of` for one of the cases; the others are looked at first.
        """
        failed: RefusedError | None = None
        for _, case in self._means.store.page(frozenset({State.IN_REVIEW}), None, MAX_PAGE):
            try:
                lapse(self._means, case, self._means.clock.now_ms())
            except RefusedError as refusal:
                failed = refusal
        if failed is not None:
            raise failed

    def demand_ready(self) -> None:
        """Return if governance is known and pins our policy file.

        Raises:
            RefusedError: `GOVERNANCE_UNAVAILABLE`, `POLICY_DIGEST`.
        """
        self._means.policies.in_force(self._means.governance.current())

    def _advance(self, case: Case) -> Case:
        if case.kind == "revocation":
            return self._revoke(case)
        if case.state is State.RECEIVED and case.kind == "disclosure":
            case = self._foreseen(case)
        elif case.state is State.RECEIVED:
            case = self._means.store.settle(case.id, _granting)
        elif case.state is State.IN_REVIEW:
            case = lapse(self._means, case, self._means.clock.now_ms())
        case = conclude(self._means, case)
        case = logged_anew(self._means, case)
        if case.kind == "supplementary" and case.state is State.GRANTED and not case.request:
            case = self._requested(case)
        return case

    def _foreseen(self, case: Case) -> Case:
        try:
            return foresee(self._means, case)
        except RefusedError as refusal:
            if refusal.reason != "DOCUMENT_REVOKED":
                raise
            # Custody takes revocations itself, and may know of one before we do.
            note = Note(ENTRY_CANCEL, case.payload, case.id.hex())
            return self._means.store.settle(case.id, lambda view: _revoked(view, note, "service/custody"))

    def _requested(self, case: Case) -> Case:
        request = self._means.custody.request_unmask(case.document, granted(case))
        return self._means.store.settle(case.id, lambda view: _opened(view, request))

    def _revoke(self, case: Case) -> Case:
        """Take a document back for good: its case cancelled, custody told; each step may be repeated."""
        claims = case.claims
        if not isinstance(claims, Revocation) or case.state is not State.RECEIVED:
            return case
        store, taken_back = self._means.store, claims.revokes
        store.settle(case.id, lambda _view: Change(revokes=(claims.authority, taken_back.sha256)))
        target = store.by_document(taken_back.sha256)
        if target is not None and target.identity.authority == claims.authority:
            note = Note(ENTRY_CANCEL, case.payload, case.id.hex())
            store.settle(target.id, lambda view: _revoked(view, note, SERVICE))
        self._means.custody.submit_revocation(case.document)
        return store.settle(case.id, _took_effect)

    def _known(self, case_id: bytes) -> Case:
        case = self._means.store.by_id(case_id)
        if case is None:
            raise _unknown()
        return case


def _granting(view: View) -> Change:
    return Change(cause=Cause.SCOPE_ALLOWED) if view.case.state is State.RECEIVED else NOTHING_TO_CHANGE


def _took_effect(view: View) -> Change:
    return Change(cause=Cause.TOOK_EFFECT) if view.case.state is State.RECEIVED else NOTHING_TO_CHANGE


def _opened(view: View, request: bytes) -> Change:
    # One that was cancelled meanwhile stays so, and still says which request custody has opened.
    cause = Cause.UNMASK_REQUESTED if view.case.state is State.GRANTED else None
    return Change(cause=cause, request=request, who="service/custody")


def _revoked(view: View, note: Note, who: str) -> Change:
    if view.case.state in FINAL:
        return NOTHING_TO_CHANGE
    return Change(cause=Cause.REVOKED, who=who, cascade=True, notes=(note,))


def _unknown() -> RefusedError:
    return RefusedError("CASE_UNKNOWN", "there is no such case", kind=Kind.NOT_FOUND)
