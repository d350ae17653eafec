"""A case, what has become of it, and what may be changed about it: values only."""

from __future__ import annotations

import dataclasses

from garim.documents.claims import Claims, read_claims
from garim.kit.convert import Logged, Received
from garim.statements.dsse import Envelope
from garim.statements.grants import DocumentId
from garim.statements.receipts import DossierReceipt
from garim.statements.refusal import RefusedError, RefusedWithReasonsError
from garim.warrants.hi1_rows import Taken
from garim.warrants.machine import Cause, State

SERVICE = "service/warrants"


@dataclasses.dataclass(frozen=True, slots=True)
class Reason:
    """One reason of a refusal, or a remark to reviewers.

    Attributes:
        reason: UPPER_SNAKE.
        field: Path of the field it is about, or empty.
        message: One sentence for people.
    """

    reason: str
    field: str
    message: str


def reasons_of(refusal: RefusedError) -> tuple[Reason, ...]:
    """Return every reason that a refusal carries."""
    parts = refusal.reasons if isinstance(refusal, RefusedWithReasonsError) else (refusal,)
    return tuple(Reason(one.reason, one.field, one.message) for one in parts)


@dataclasses.dataclass(frozen=True, slots=True)
class KeptDecision:
    """A reviewer's verified decision.

    Attributes:
        digest: SHA-256 of its payload, hexadecimal.
        person: Who decided.
        envelope: As it was signed.
    """

    digest: str
    person: str
    envelope: Envelope


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """One transition of a case.

    Attributes:
        at_ms: When, milliseconds since 1970.
        cause: Why, by the name in the table of transitions.
        state: Where the case stood afterwards.
        who: `person/ROLE/NAME` or `service/NAME`.
    """

    at_ms: int
    cause: Cause
    state: State
    who: str


@dataclasses.dataclass(frozen=True, slots=True)
class Delivery:
    """What redaction has recorded of a dossier, each part verified.

    Attributes:
        receipt: Custody's logged receipt.
        delivered_ms: Time of the first delivery's log entry; None before.
        delivered_index: Its position in the log.
        acknowledged_ms: When the recipient's acknowledgement was recorded; None before.
    """

    receipt: Logged
    delivered_ms: int | None = None
    delivered_index: int | None = None
    acknowledged_ms: int | None = None

    @property
    def stated(self) -> DossierReceipt:
        """What custody states; its signature was verified when it was recorded."""
        return DossierReceipt.from_bytes(self.receipt.statement.payload)


@dataclasses.dataclass(frozen=True, slots=True)
class Settlement:
    """That a duty was done, or put off.

    Attributes:
        item: Name of the due item.
        at_ms: When that was recorded, milliseconds since 1970.
        who: `person/ROLE/NAME`.
        reason: What was done, or why it was put off.
        ground: Ground in the policy on which it was put off or fell away; empty where it was simply done.
        until_ms: Until when it is put off; None where it is done.
    """

    item: str
    at_ms: int
    who: str
    reason: str
    ground: str
    until_ms: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """A document that was accepted, and what became of it.

    Attributes:
        id: 16 random bytes.
        kind: Kind of document.
        state: Where it stands.
        document: As received; its attachments were compared with the digests it names.
        payload: The bytes that both signatures cover.
        identity: What identifies the document.
        filer: Person who filed it.
        received_ms: When, milliseconds since 1970.
        tickets: SHA-256 of each scope ticket that was sent to the store, hexadecimal.
        forecast: The store's statement, for a first request.
        remarks: What reviewers alone may know: why they must decide, why there is nothing.
        refusal: Why it was refused, as the applicant may know it.
        body: The grant's or no-data answer's payload, durable before it is logged.
        statement: The same, signed and with its log proof.
        request: Custody's unmask request, for a second request; empty before.
        decisions: Reviewers' decisions, in order.
        events: Its transitions, in order.
        delivery: What is known of its dossier; None before that is closed.
        settlements: Duties done or put off, in order.
    """

    id: bytes
    kind: str
    state: State
    document: Received
    payload: bytes
    identity: DocumentId
    filer: str
    received_ms: int
    tickets: frozenset[str] = frozenset()
    forecast: Envelope | None = None
    remarks: tuple[Reason, ...] = ()
    refusal: tuple[Reason, ...] = ()
    body: bytes | None = None
    statement: Logged | None = None
    request: bytes = b""
    decisions: tuple[KeptDecision, ...] = ()
    events: tuple[Event, ...] = ()
    delivery: Delivery | None = None
    settlements: tuple[Settlement, ...] = ()

    def when(self, *causes: Cause) -> int | None:
        """Return when one of these causes first moved the case, milliseconds since 1970."""
        return next((one.at_ms for one in self.events if one.cause in causes), None)

    @property
    def claims(self) -> Claims:
        """What the document says; its payload was verified when the case was opened."""
        return read_claims(self.payload)


@dataclasses.dataclass(frozen=True, slots=True)
class Overlap:
    """Another case whose forecast matched one of the same conversations.

    Attributes:
        case: Its id.
        granted: Whether a grant was made for it, cancelled since or not.
    """

    case: bytes
    granted: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Note:
    """What is logged after it took effect, because it closes something.

    Attributes:
        kind: Type of the log entry.
        body: What is committed to.
        key: Idempotence key.
        count: Number of reasons of a refusal; 0 for anything else.
    """

    kind: str
    body: bytes
    key: str
    count: int = 0

    @property
    def magnitudes(self) -> dict[str, int]:
        """Public counts of the entry."""
        return {"reasons": self.count} if self.count else {}


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """What one transaction changes about a case; None changes nothing.

    Attributes:
        cause: Why it moves, which says where to.
        who: Who moves it.
        ticket: SHA-256 of a scope ticket about to be sent to the store.
        forecast: The store's statement.
        conversations: Blinded tags of the conversations it matched, by which overlaps are found.
        remarks: For reviewers.
        refusal: For the applicant.
        body: The payload to be logged.
        statement: The signed and logged statement.
        request: Custody's unmask request.
        decision: One more decision.
        cascade: Whether cases that name this one's document as their first are cancelled too.
        revokes: Authority and payload digest of a document that may never be accepted again.
        delivery: What is known of its dossier now.
        settlement: One more duty done or put off.
        message: The HI1 message that asks for it.
        notes: What to log next.
    """

    cause: Cause | None = None
    who: str = SERVICE
    ticket: str | None = None
    forecast: Envelope | None = None
    conversations: tuple[str, ...] | None = None
    remarks: tuple[Reason, ...] | None = None
    refusal: tuple[Reason, ...] | None = None
    body: bytes | None = None
    statement: Logged | None = None
    request: bytes | None = None
    decision: KeptDecision | None = None
    cascade: bool = False
    revokes: tuple[str, str] | None = None
    delivery: Delivery | None = None
    settlement: Settlement | None = None
    message: Taken | None = None
    notes: tuple[Note, ...] = ()


NOTHING_TO_CHANGE = Change()


@dataclasses.dataclass(frozen=True, slots=True)
class RefusedDocument:
    """A document that was refused before it opened a case; what it said is not kept: nobody vouches for it.

    Attributes:
        id: 16 random bytes.
        content: SHA-256 of the bytes received, hexadecimal.
        who: Who filed it: `person/ROLE/NAME`.
        received_ms: When, milliseconds since 1970.
        reasons: Why.
    """

    id: bytes
    content: str
    who: str
    received_ms: int
    reasons: tuple[Reason, ...]
