"""Grants and no-data answers: the body durable, then the log, then the signature, then the case.

Each step may be repeated: the body is made once, the log knows an entry by the case's id, the signature of
the same bytes is the same, and the last transaction looks at the case again, so that one cancelled in between
stays cancelled.
"""

from __future__ import annotations

import hashlib

from garim.documents.claims import Disclosure, Keeping, Supplementary
from garim.documents.policy import DAY_MS
from garim.documents.scope import identities_of, period_of, subjects_of
from garim.kit.convert import Logged
from garim.statements import dsse
from garim.statements.cases import NoData
from garim.statements.governance import Governance
from garim.statements.grants import DisclosureGrant, Grant, PreservationGrant, UnmaskGrant
from garim.statements.model import CheckpointSeen, Statement
from garim.statements.refusal import RefusedError
from garim.warrants.cases import NOTHING_TO_CHANGE, Case, Change, Reason
from garim.warrants.intake import refusal_note
from garim.warrants.machine import GRANTED, Cause, State
from garim.warrants.means import CasePolicy, Means
from garim.warrants.ports import View

GRANT_ID_BYTES = 16

_ENTRIES: dict[str, tuple[str, type[Grant]]] = {
    "disclosure": ("disclosure-granted", DisclosureGrant),
    "preservation": ("preservation-granted", PreservationGrant),
    "emergency-preservation": ("preservation-granted", PreservationGrant),
    "supplementary": ("unmask-granted", UnmaskGrant),
}


def conclude(means: Means, case: Case) -> Case:
    """Log, sign and commit what a case has been decided to get: a grant, or the answer that there is nothing.

    Args:
        means: What the service works with.
        case: In state `granting` or `nothing`; any other is returned as it is.

    Returns:
        The case as it stands afterwards; cancelled where that came in between.

    Raises:
        RefusedError: Those of `Means.policy_of` and of the log; nothing is granted without it.
    """
    if case.state not in {State.GRANTING, State.NOTHING}:
        return case
    case = _with_body(means, case)
    if case.state not in {State.GRANTING, State.NOTHING} or case.body is None:
        return case
    entry, kind = _entry(case)
    logged = means.log.append(entry, case.body, key=case.id.hex(), magnitudes=_magnitudes(case))
    expired = _expired(case, logged.time_ms)
    if expired is not None:
        return means.store.settle(
            case.id, lambda view: _refused(means, view, Cause.DOCUMENT_EXPIRED, expired)
        )
    envelope = dsse.sign(kind.PAYLOAD_TYPE, case.body, means.sign)
    statement = Logged(envelope, logged.proof)
    return means.store.settle(case.id, lambda view: _committed(view, statement))


def logged_anew(means: Means, case: Case) -> Case:
    """Log a case's grant in the log in force where its proof is of a former one; it stays the same grant.

    Args:
        means: What the service works with.
        case: Any case.

    Raises:
        RefusedError: Those of the log, and of custody for a second request.
    """
    known = case.statement
    if case.state not in GRANTED or known is None or not means.log.is_succeeded(known.proof):
        return case
    envelope = known.statement
    entry, _ = _ENTRIES[case.kind]
    logged = means.log.append(entry, envelope.payload, key=case.id.hex(), magnitudes=_magnitudes(case))
    statement = Logged(envelope, logged.proof)
    if case.kind == "supplementary":
        # Kept here only once custody has it: else nobody would tell custody again.
        means.custody.request_unmask(case.document, statement)
    renewed = Change(statement=statement)
    return means.store.settle(
        case.id, lambda view: renewed if view.case.state in GRANTED else NOTHING_TO_CHANGE
    )


def _with_body(means: Means, case: Case) -> Case:
    """Make the body durable, once, from what is true inside the transaction."""
    if case.body is not None:
        return case
    governance = means.governance.current()
    policy = means.policy_of(case)
    checkpoint = means.log.checkpoint_seen()

    def made(view: View) -> Change:
        now = view.case
        if now.body is not None or now.state not in {State.GRANTING, State.NOTHING}:
            return NOTHING_TO_CHANGE
        if now.state is State.NOTHING:
            return Change(body=_no_data(means, now, checkpoint).to_bytes())
        blocked = _blocked(view)
        if blocked is not None:
            return _refused(means, view, Cause.FIRST_NOT_GRANTED, blocked)
        return Change(body=_grant(means, view, governance, policy, checkpoint).to_bytes())

    return means.store.settle(case.id, made)


def _blocked(view: View) -> Reason | None:
    """Return why a second request may not go on: its first request is no longer granted.

    Once the second request has a case, cancelling the first cancels it too; this is for what came before.
    """
    claims = view.case.claims
    if not isinstance(claims, Supplementary):
        return None
    first = view.case_of(claims.first_document)
    if first is not None and first.state in GRANTED:
        return None
    return Reason("FIRST_NOT_GRANTED", "first_document", "the first request is not granted, or not any more")


def _grant(
    means: Means, view: View, governance: Governance, policy: CasePolicy, checkpoint: CheckpointSeen | None
) -> Grant:
    case, claims, now_ms = view.case, view.case.claims, means.clock.now_ms()
    common = {
        "mesh": means.mesh,
        "issued": now_ms,
        "checkpoint": checkpoint,
        "grant": means.draw(GRANT_ID_BYTES).hex(),
        "case": case.id.hex(),
        "document": case.identity,
        "document_issued": claims.issued_ms,
        "governance": governance.version,
        "policy": policy.digest,
    }
    if isinstance(claims, Disclosure):
        if case.forecast is None:
            raise TypeError("a disclosure is granted after its forecast only")
        overlaps = [one.case.hex() for one in view.overlapping(view.conversations()) if one.granted]
        return DisclosureGrant.model_validate(
            {
                **common,
                "purpose": "disclosure",
                "subjects": subjects_of(claims),
                "period": period_of(claims),
                "mode": claims.mode,
                "recipient": claims.recipient,
                "acknowledger": claims.acknowledger,
                "expires": claims.expires_ms,
                "unmask_until": now_ms + policy.version.deadlines.unmask_days * DAY_MS,
                "unmask_budget": policy.version.budgets.unmaskings if claims.mode == "sealed" else 0,
                "forecast": hashlib.sha256(case.forecast.payload).hexdigest(),
                "overlaps": sorted(overlaps),
                "masking": policy.version.masking,
            }
        )
    if isinstance(claims, Keeping):
        return PreservationGrant.model_validate(
            {
                **common,
                "purpose": "preservation",
                "subjects": subjects_of(claims),
                "period": period_of(claims),
                "until": claims.until_ms,
                "expires": claims.until_ms,
            }
        )
    if isinstance(claims, Supplementary):
        return UnmaskGrant.model_validate(
            {
                **common,
                "purpose": "unmask",
                "first": claims.first_document,
                "dossier": claims.dossier,
                "identities": identities_of(claims),
                "recipient": claims.recipient,
                "expires": now_ms + policy.version.deadlines.unmask_request_days * DAY_MS,
                "filer": case.filer,
            }
        )
    raise TypeError("a revocation gets no grant")


def _no_data(means: Means, case: Case, checkpoint: CheckpointSeen | None) -> NoData:
    return NoData(
        mesh=means.mesh,
        purpose="no-data",
        issued=means.clock.now_ms(),
        expires=None,
        checkpoint=checkpoint,
        case=case.id.hex(),
        document=case.identity.digest,
    )


def _entry(case: Case) -> tuple[str, type[Statement]]:
    return ("no-data", NoData) if case.state is State.NOTHING else _ENTRIES[case.kind]


def _magnitudes(case: Case) -> dict[str, int]:
    claims = case.claims
    if case.state is State.NOTHING:
        return {}
    if isinstance(claims, Supplementary):
        return {"identities": len(claims.identities)}
    if isinstance(claims, Disclosure | Keeping):
        return {"subjects": len(claims.subjects)}
    return {}


def _expired(case: Case, logged_ms: int) -> Reason | None:
    """Return why a grant comes too late, judged at the time of its log entry."""
    claims = case.claims
    ends_ms: int | None = None
    if isinstance(claims, Disclosure) and case.state is State.GRANTING:
        ends_ms = claims.expires_ms
    elif isinstance(claims, Keeping):
        ends_ms = claims.until_ms
    if ends_ms is None or logged_ms < ends_ms:
        return None
    return Reason("DOCUMENT_EXPIRED", "", "the document expired before it was granted")


def _refused(means: Means, view: View, cause: Cause, reason: Reason) -> Change:
    if view.case.state is not State.GRANTING:
        return NOTHING_TO_CHANGE
    note = refusal_note(means, view.case, reason.reason)
    return Change(cause=cause, refusal=(reason,), notes=(note,))


def _committed(view: View, statement: Logged) -> Change:
    case = view.case
    if case.statement is not None:
        return NOTHING_TO_CHANGE
    if case.state is State.NOTHING:
        return Change(cause=Cause.ANSWER_LOGGED, statement=statement)
    if case.state is State.GRANTING:
        return Change(cause=Cause.GRANT_LOGGED, statement=statement)
    return NOTHING_TO_CHANGE


def granted(case: Case) -> Logged:
    """Return a granted case's grant with its proof.

    Raises:
        RefusedError: `CASE_STATE`.
    """
    if case.state not in GRANTED or case.statement is None:
        raise RefusedError("CASE_STATE", "the case is not granted, or not any more")
    return case.statement
