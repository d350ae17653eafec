"""From received bytes to a case: verified, judged by policy, claimed once."""

from __future__ import annotations

import hashlib

from garim.documents.claims import Claims, Disclosure, Supplementary
from garim.documents.policy import Policy, judge
from garim.documents.verify import VerifiedDocument, verify_document
from garim.documents.x509 import TrustPolicy
from garim.kit.convert import Received
from garim.kit.identity import Peer
from garim.statements import strict_json
from garim.statements.governance import Governance
from garim.statements.grants import DisclosureGrant, DocumentId
from garim.statements.refusal import Kind, RefusedError
from garim.warrants.cases import Case, Note, RefusedDocument, reasons_of
from garim.warrants.hi1_rows import Taken
from garim.warrants.machine import GRANTED, State
from garim.warrants.means import Means

ENTRY_REFUSED = "document-refused"
CASE_ID_BYTES = 16

# Refusals that lie with us, or that pass: the document was not judged, so they are errors and no answers.
_NO_ANSWER = frozenset({Kind.UNAVAILABLE, Kind.DATA_LOSS, Kind.EXHAUSTED})


def take_in(means: Means, received: Received, filer: Peer, message: Taken | None = None) -> Case:
    """Verify and judge a document, and open its case or find the one it has opened before.

    Args:
        means: What the service works with.
        received: The document as received.
        filer: Who files it, from the TLS certificate.
        message: The HI1 message that it is, if it came as one.

    Raises:
        RefusedError: Every reason why the document is refused. Not about the document, and so no answer to an
            applicant: `POLICY_DIGEST`, and refusals of kind unavailable, exhausted and data loss.
    """
    governance = means.governance.current()
    policy = means.policies.in_force(governance)
    document = _verified(means, received, governance, policy)
    return means.store.claim(
        Case(
            id=means.draw(CASE_ID_BYTES),
            kind=document.kind,
            state=State.RECEIVED,
            document=received,
            payload=document.payload,
            identity=document.identity,
            filer=filer.name,
            received_ms=means.clock.now_ms(),
        ),
        filer.path,
        message,
    )


def is_answer(refusal: RefusedError) -> bool:
    """Tell whether a refusal is about the document, so that it is answered, logged and counted."""
    return refusal.kind not in _NO_ANSWER and refusal.reason != "POLICY_DIGEST"


def note_refusal(means: Means, received: Received, refusal: RefusedError, filer: Peer) -> RefusedDocument:
    """Record, and note for the log, that a document was refused before it opened a case.

    Args:
        means: What the service works with.
        received: The document as received.
        refusal: Why.
        filer: Who filed it, from the TLS certificate.
    """
    refused = RefusedDocument(
        id=means.draw(CASE_ID_BYTES),
        content=hashlib.sha256(received.content).hexdigest(),
        who=filer.path,
        received_ms=means.clock.now_ms(),
        reasons=reasons_of(refusal),
    )
    body = strict_json.dump(
        {
            "content": refused.content,
            "reasons": [one.reason for one in refused.reasons],
            "time": refused.received_ms,
        }
    )
    # Each submission counts: two refusals of the same bytes are two entries.
    means.store.refuse(refused, Note(ENTRY_REFUSED, body, refused.id.hex(), len(refused.reasons)))
    return refused


def refusal_note(means: Means, case: Case, *reasons: str) -> Note:
    """Return the log entry of a case that is refused after it was opened.

    Args:
        means: What the service works with.
        case: Which case.
        reasons: Why, as the applicant may know it.
    """
    body = strict_json.dump(
        {
            "case": case.id.hex(),
            "document": case.identity.digest,
            "reasons": list(reasons),
            "time": means.clock.now_ms(),
        }
    )
    return Note(ENTRY_REFUSED, body, case.id.hex(), len(reasons))


def _verified(means: Means, received: Received, governance: Governance, policy: Policy) -> VerifiedDocument:
    now_ms = means.clock.now_ms()
    trust = TrustPolicy.of(governance)

    def revoked(identity: DocumentId) -> bool:
        # A document that has a case is not refused anew: its case says that it was cancelled.
        known = means.store.by_document(identity.digest) is not None
        return not known and means.store.is_revoked(identity.authority, identity.digest)

    def further(claims: Claims) -> list[RefusedError]:
        # What was accepted was judged when it came; time and a new policy do not make it another document.
        known = means.store.by_number(claims.authority, claims.number)
        if known is not None and known.claims == claims:
            return []
        return judge(claims, policy, now_ms) + _judge_attachments(means, claims, received, now_ms)

    return verify_document(
        received.content,
        media_type=received.media_type,
        open_document=means.open_document,
        trust=trust,
        audience=governance.audience,
        now_ms=now_ms,
        crls=means.crls(trust),
        revoked=revoked,
        further=further,
    )


def _judge_attachments(means: Means, claims: Claims, received: Received, now_ms: int) -> list[RefusedError]:
    if isinstance(claims, Supplementary):
        return _judge_first(means, claims, now_ms) + _judge_sealed(claims, received.attachments)
    if received.attachments:
        return [
            RefusedError(
                "ATTACHMENTS_UNEXPECTED", "this kind of document has nothing beside it", field="attachments"
            )
        ]
    return []


def _judge_sealed(claims: Supplementary, attachments: tuple[bytes, ...]) -> list[RefusedError]:
    """Compare the sealed identities beside a second request with the digests in it."""
    named = sorted(claims.identities, key=lambda one: one.pseudonym)
    digests = [hashlib.sha256(one).hexdigest() for one in attachments]
    if digests == [one.sealed_sha256 for one in named]:
        return []
    return [
        RefusedError(
            "ATTACHMENTS_WRONG",
            "send the sealed identities that the document names, in the order of their pseudonyms",
            field="attachments",
        )
    ]


def _judge_first(means: Means, claims: Supplementary, now_ms: int) -> list[RefusedError]:
    """Compare a second request with the first one that it names."""
    first = means.store.by_document(claims.first_document)
    if first is None or not isinstance(first.claims, Disclosure):
        return [
            RefusedError("FIRST_DOCUMENT_UNKNOWN", "no first request has this digest", field="first_document")
        ]
    reasons = []
    if claims.authority != first.identity.authority:
        reasons.append(
            RefusedError("FIRST_AUTHORITY", "the first request is another authority's", field="authority")
        )
    if claims.case_number != first.identity.case_number:
        reasons.append(
            RefusedError(
                "FIRST_CASE_NUMBER",
                "the first request belongs to another investigation",
                field="case_number",
            )
        )
    if first.state not in GRANTED or first.statement is None:
        reasons.append(
            RefusedError(
                "FIRST_NOT_GRANTED",
                "the first request is not granted, or not any more",
                kind=Kind.PRECONDITION,
                field="first_document",
            )
        )
        return reasons
    grant = DisclosureGrant.from_bytes(first.statement.statement.payload)
    if grant.mode == "erased":
        reasons.append(
            RefusedError("IDENTITIES_ERASED", "the dossier holds no identities", field="first_document")
        )
    if now_ms >= grant.unmask_until:
        reasons.append(
            RefusedError(
                "UNMASK_OVER",
                "the time to ask for identities is over",
                kind=Kind.PRECONDITION,
                field="dossier",
            )
        )
    return reasons
