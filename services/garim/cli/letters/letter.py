"""What a letter says: from what is known of a case to titles, facts and reasons in both languages."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence

from garim.api.warrants.v1 import warrants_pb2 as pb
from garim.cli.case_records import korean_time
from garim.cli.letters.wording import (
    CHECK,
    DUTIES,
    LABELS,
    MODES,
    OPENINGS,
    OUTCOMES,
    REASONS,
    REMEDY,
    TITLES,
    words,
)
from garim.documents.claims import Claims, Disclosure, Keeping
from garim.documents.legal_basis import basis_of, rule_of
from garim.documents.policy import Policy
from garim.documents.policy_model import Words, cited
from garim.statements.receipts import DossierReceipt
from garim.statements.refusal import Kind, RefusedError

_BY_STAGE = {
    "refused": "refusal",
    "no-data": "no-data",
    "delivered": "delivery",
    "acknowledged": "delivery",
    "preserved": "preservation",
    "cancelled": "cancelled",
    "unmask-requested": "identities",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Fact:
    """One line of a letter.

    Attributes:
        label: What it is.
        value: The same in both languages, or one for each.
        is_code: Whether it is a digest or an id, to be set in a fixed width.
    """

    label: Words
    value: Words
    is_code: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Ground:
    """One reason of a refusal, or one duty that follows.

    Attributes:
        code: UPPER_SNAKE reason, or the duty's date.
        text: What it says.
        basis: Where the law has it.
    """

    code: str
    text: Words
    basis: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Letter:
    """A letter, ready to be set.

    Attributes:
        kind: Which of the letters.
        operator: Who writes.
        addressee: To whom; empty where nobody vouches for who asked.
        title: Its title.
        opening: Its first sentence.
        facts: What it certifies, in order.
        reasons: Why it was refused; each with its legal basis.
        duties: What must follow; each with its legal basis.
        basis: The legal basis of the letter as a whole.
        closing: Its last sentences.
        made: When it was written.
    """

    kind: str
    operator: str
    addressee: str
    title: Words
    opening: Words
    facts: tuple[Fact, ...]
    reasons: tuple[Ground, ...]
    duties: tuple[Ground, ...]
    basis: tuple[str, ...]
    closing: tuple[Words, ...]
    made: str


@dataclasses.dataclass(frozen=True, slots=True)
class Known:
    """What a letter rests on; every statement in it was verified before.

    Attributes:
        timeline: What warrants says of the case.
        claims: What the document says; None where it was refused before a case was opened.
        unverified: What the document says that was refused before a case was opened, where it is at hand.
        receipt: Custody's receipt; None before delivery.
        unmasking: Where custody's request stands; empty for anything but a second request.
    """

    timeline: pb.GetCaseTimelineResponse
    claims: Claims | None = None
    unverified: Claims | None = None
    receipt: DossierReceipt | None = None
    unmasking: str = ""


def kind_of(known: Known) -> str:
    """Return which letter a case gets now.

    Raises:
        RefusedError: `LETTER_EARLY`: nothing was decided, or delivered, yet.
    """
    kind = _BY_STAGE.get(known.timeline.summary.stage, "")
    if not kind or (kind == "identities" and known.unmasking not in OUTCOMES):
        raise RefusedError(
            "LETTER_EARLY",
            f"the case is {known.timeline.summary.stage}: letters follow its decision and delivery",
            kind=Kind.PRECONDITION,
        )
    return kind


def letter_of(known: Known, policy: Policy, operator: str, now_ms: int) -> Letter:
    """Return the letter that a case gets now.

    Args:
        known: What is known of it, verified.
        policy: The policy that governance pins; its citations are those in force at receipt.
        operator: Who writes.
        now_ms: When, milliseconds since 1970.

    Raises:
        RefusedError: `LETTER_EARLY`.
    """
    kind = kind_of(known)
    received_ms = known.timeline.summary.received_at_ms
    reasons = _reasons(known, policy, received_ms) if kind == "refusal" else ()
    closing = (REMEDY,) if kind == "refusal" else ()
    return Letter(
        kind=kind,
        operator=operator,
        addressee=known.timeline.summary.authority,
        title=TITLES[kind],
        opening=OPENINGS[kind],
        facts=tuple(_facts(kind, known)),
        reasons=reasons,
        duties=_duties(known) if kind == "delivery" else (),
        basis=_basis(kind, known, policy, received_ms),
        closing=(CHECK,) if kind == "delivery" else closing,
        made=f"{korean_time(now_ms)} KST",
    )


def _facts(kind: str, known: Known) -> Iterable[Fact]:
    summary = known.timeline.summary
    if known.unverified is not None:
        yield Fact(LABELS["unverified"], LABELS["unverified_means"])
    said = known.claims or known.unverified
    if said is not None:
        yield from _texts(
            ("authority", said.authority),
            ("court", said.court),
            ("number", said.number),
            ("case_number", said.case_number),
        )
    yield from _codes(
        ("document", summary.document_digest.hex()), ("received_bytes", known.timeline.content_digest.hex())
    )
    if known.claims is not None:
        yield from _times(("issued", known.claims.issued_ms))
    yield from _times(("received", summary.received_at_ms), ("decided", _decided_ms(known)))
    yield from _codes(("case", summary.case_id.hex()))
    if kind == "delivery" and known.receipt is not None:
        yield from _delivery(known, known.receipt)
    if kind == "no-data":
        answer = known.timeline.answer
        yield from _codes(("answer", hashlib.sha256(answer.statement.payload).hexdigest()))
        yield from _texts(("answer_index", str(answer.proof.index)))
    if kind == "preservation" and isinstance(known.claims, Keeping):
        yield from _times(("until", known.claims.until_ms))
    if kind == "identities":
        yield from _codes(("request", summary.unmask_request_id.hex()))
        yield Fact(LABELS["outcome"], OUTCOMES[known.unmasking])


def _delivery(known: Known, receipt: DossierReceipt) -> Iterable[Fact]:
    """Return the facts of a delivery: never how many messages or people it holds."""
    delivery = known.timeline.delivery
    payload = delivery.receipt.statement.payload
    yield from _codes(
        ("dossier", receipt.dossier),
        ("package", receipt.package),
        ("receipt", hashlib.sha256(payload).hexdigest()),
    )
    yield Fact(LABELS["mode"], MODES[receipt.mode])
    yield from _times(("closed", receipt.issued))
    yield from _texts(("receipt_index", str(delivery.receipt.proof.index)))
    yield from _times(("delivered", delivery.delivered_at_ms))
    yield from _texts(("delivered_index", str(delivery.delivered_index)))
    if delivery.acknowledged_at_ms:
        yield from _times(("acknowledged", delivery.acknowledged_at_ms))
    else:
        yield Fact(LABELS["acknowledged"], LABELS["not_acknowledged"])
    if receipt.unmask_until is not None:
        yield from _times(("unmask_until", receipt.unmask_until))


def _reasons(known: Known, policy: Policy, received_ms: int) -> tuple[Ground, ...]:
    found, said = [], known.claims or known.unverified
    for one in known.timeline.refusal_reasons:
        label = policy.rule(rule_of(one.reason)).label
        ko = REASONS.get(one.reason, f"「{label.ko}」의 요건을 갖추지 못하였습니다.")
        where = f" ({one.field})" if one.field else ""
        text = words(f"{ko}{where}", f"{one.message[:1].upper()}{one.message[1:]}{where}.")
        found.append(Ground(one.reason, text, basis_of(one.reason, policy, received_ms, said)))
    return tuple(found)


def _duties(known: Known) -> tuple[Ground, ...]:
    return tuple(
        Ground(f"{korean_time(one.due_at_ms)} KST", DUTIES[one.item], tuple(one.basis))
        for one in known.timeline.due_items
        if one.item in DUTIES and one.standing != pb.DUE_STANDING_DONE
    )


def _basis(kind: str, known: Known, policy: Policy, received_ms: int) -> tuple[str, ...]:
    if isinstance(known.claims, Disclosure) and kind in {"delivery", "no-data"}:
        warrant = policy.warrant_type(known.claims.warrant_type, known.claims.issued_ms)
        return () if warrant is None else cited(warrant.basis, known.claims.issued_ms)
    if kind == "preservation" and known.claims is not None:
        rule = policy.rule("preservation" if known.claims.kind == "preservation" else "emergency")
        return cited(rule.basis, received_ms)
    if kind == "identities":
        return cited(policy.rule("second-request").basis, received_ms)
    return ()


def _decided_ms(known: Known) -> int:
    """Return when the case first stood where it is decided."""
    decided = ("granted", "refused", "no-data", "cancelled")
    return next((one.at_ms for one in known.timeline.events if one.stage in decided), 0)


def _texts(*pairs: tuple[str, str]) -> Sequence[Fact]:
    return [Fact(LABELS[name], words(value, value)) for name, value in pairs if value]


def _codes(*pairs: tuple[str, str]) -> Sequence[Fact]:
    return [Fact(LABELS[name], words(value, value), is_code=True) for name, value in pairs if value]


def _times(*pairs: tuple[str, int]) -> Sequence[Fact]:
    return _texts(*((name, f"{korean_time(ms)} KST") for name, ms in pairs if ms))
