"""What a reviewer's client verifies before it signs. No I/O: all it needs comes in as arguments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from garim.documents.claims import Disclosure
from garim.documents.envelope import OpenDocument
from garim.documents.verify import VerifiedDocument, verify_document
from garim.documents.x509 import TrustPolicy
from garim.kit.convert import Received
from garim.kit.governance_history import InForce, policies_between
from garim.statements import dsse, subjects
from garim.statements.governance import Governance
from garim.statements.refusal import Kind, RefusedError
from garim.statements.scope import Forecast


@dataclass(frozen=True, slots=True)
class CheckedReview:
    """A case under review, verified in full.

    Attributes:
        subject: What the decision names, computed here.
        document: The verified first document.
        claims: What it asks.
        forecast: How much it would reach.
        policy: SHA-256 of the policy that it is judged by, hexadecimal: one that governance pinned since the
            document's issue.
    """

    subject: str
    document: VerifiedDocument
    claims: Disclosure
    forecast: Forecast
    policy: str


def check_document(
    received: Received,
    *,
    open_document: OpenDocument,
    governance: Governance,
    crls: Iterable[bytes],
    now_ms: int,
) -> VerifiedDocument:
    """Verify a case's document as warrants does; see `verify_document`."""
    return verify_document(
        received.content,
        media_type=received.media_type,
        open_document=open_document,
        trust=TrustPolicy.of(governance),
        audience=governance.audience,
        now_ms=now_ms,
        crls=crls,
        revoked=lambda _identity: False,
    )


def check_review(
    received: Received,
    forecast: dsse.Envelope,
    subject: str,
    *,
    open_document: OpenDocument,
    history: Sequence[InForce],
    crls: Iterable[bytes],
    now_ms: int,
) -> CheckedReview:
    """Verify a case under review and compute the subject of a decision about it.

    Args:
        received: The case's document.
        forecast: The store's forecast.
        subject: What warrants says a decision names.
        open_document: Opens the document.
        history: The governance versions up to the one in force, verified from the genesis digest.
        crls: Revocation lists at hand.
        now_ms: Time of the check, milliseconds since 1970.

    Raises:
        RefusedError: Those of `verify_document` and of statements; `DOCUMENT_KIND`, `FORECAST_SCOPE`,
            `DECISION_SUBJECT`.
    """
    governance = history[-1].document
    document = check_document(
        received, open_document=open_document, governance=governance, crls=crls, now_ms=now_ms
    )
    if not isinstance(document.claims, Disclosure):
        raise RefusedError("DOCUMENT_KIND", "only a disclosure is reviewed", field="document")
    figures = Forecast.verify(forecast, governance.keys_of("messages"), mesh=governance.mesh, now=None)
    if figures.document != document.digest:
        raise RefusedError("FORECAST_SCOPE", "the forecast is about another document", field="forecast")
    # The case keeps the policy that was pinned at its receipt, which custody bounds in the same way.
    for policy in policies_between(history, document.claims.issued_ms, now_ms):
        if subjects.review(document.digest, forecast.payload, policy) == subject:
            return CheckedReview(subject, document, document.claims, figures, policy)
    raise RefusedError(
        "DECISION_SUBJECT",
        "warrants names another subject than this case gives: sign nothing, call the auditors",
        kind=Kind.DATA_LOSS,
        field="subject",
    )


def cancel_subject(case: bytes, document: VerifiedDocument, stated: str) -> str:
    """Return the subject of a decision that cancels a case, computed here.

    Raises:
        RefusedError: `DECISION_SUBJECT`: warrants names another.
    """
    own = subjects.cancel(case, document.digest)
    if own != stated:
        raise RefusedError(
            "DECISION_SUBJECT",
            "warrants names another subject than this case gives: sign nothing, call the auditors",
            kind=Kind.DATA_LOSS,
            field="subject",
        )
    return own
