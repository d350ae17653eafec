"""Between rows and cases: what is written of a case, and how it is read back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from garim.kit.convert import Logged, Received
from garim.kit.db import insert_or_replace
from garim.statements import dsse, strict_json
from garim.statements.dsse import Envelope
from garim.statements.grants import DocumentId
from garim.translog.proven import LogProof
from garim.warrants.cases import Case, Change, Delivery, Event, KeptDecision, Reason, Settlement
from garim.warrants.machine import Cause, State
from garim.warrants.schema import (
    attachments,
    case_conversations,
    case_deliveries,
    case_events,
    case_settlements,
    case_tickets,
    cases,
    decisions,
    revocations,
)


def insert(connection: sa.Connection, case: Case) -> None:
    """Keep a new case."""
    claims = case.claims
    connection.execute(
        sa.insert(cases).values(
            case_id=case.id,
            kind=case.kind,
            state=case.state,
            authority=case.identity.authority,
            number=case.identity.number,
            case_number=case.identity.case_number,
            digest=case.identity.digest,
            first=claims.first_document if claims.kind == "supplementary" else None,
            media_type=case.document.media_type,
            content=case.document.content,
            payload=case.payload,
            filer=case.filer,
            received_ms=case.received_ms,
            remarks=reasons_text(case.remarks),
            refusal=reasons_text(case.refusal),
            request=case.request,
        )
    )
    for position, content in enumerate(case.document.attachments):
        connection.execute(sa.insert(attachments).values(case_id=case.id, position=position, content=content))


def update(connection: sa.Connection, case: Case, change: Change, state: State | None) -> None:
    """Keep what one transaction changes about a case.

    Args:
        connection: The transaction.
        case: The case as it stands.
        change: What to change.
        state: Its next state; None leaves it.
    """
    values: dict[str, Any] = {
        "state": state,
        "forecast": None if change.forecast is None else dsse.to_bytes(change.forecast),
        "remarks": None if change.remarks is None else reasons_text(change.remarks),
        "refusal": None if change.refusal is None else reasons_text(change.refusal),
        "body": change.body,
        "request": change.request,
    }
    if change.statement is not None:
        values["statement"] = dsse.to_bytes(change.statement.statement)
        values["proof"] = proof_bytes(change.statement.proof)
    values = {name: value for name, value in values.items() if value is not None}
    if values:
        connection.execute(sa.update(cases).where(cases.c.case_id == case.id).values(**values))
    if change.ticket is not None:
        connection.execute(sa.insert(case_tickets).values(case_id=case.id, digest=change.ticket))
    for conversation in dict.fromkeys(change.conversations or ()):
        connection.execute(sa.insert(case_conversations).values(case_id=case.id, conversation=conversation))
    if change.decision is not None:
        _insert_decision(connection, case.id, change.decision)
    if change.delivery is not None:
        _keep_delivery(connection, case.id, change.delivery)
    if change.settlement is not None:
        values = dataclasses.asdict(change.settlement)
        connection.execute(sa.insert(case_settlements).values(case_id=case.id, **values))
    if change.revokes is not None:
        authority, digest = change.revokes
        if not is_revoked(connection, authority, digest):
            connection.execute(sa.insert(revocations).values(authority=authority, digest=digest))


def record(connection: sa.Connection, case: bytes, event: Event) -> None:
    """Keep a transition."""
    connection.execute(sa.insert(case_events).values(case_id=case, **dataclasses.asdict(event)))


def _keep_delivery(connection: sa.Connection, case: bytes, delivery: Delivery) -> None:
    values = {
        "case_id": case,
        "receipt": dsse.to_bytes(delivery.receipt.statement),
        "proof": proof_bytes(delivery.receipt.proof),
        "delivered_ms": delivery.delivered_ms,
        "delivered_index": delivery.delivered_index,
        "acknowledged_ms": delivery.acknowledged_ms,
    }
    insert_or_replace(connection, case_deliveries, values)


def _insert_decision(connection: sa.Connection, case: bytes, kept: KeptDecision) -> None:
    connection.execute(
        sa.insert(decisions).values(
            case_id=case, digest=kept.digest, person=kept.person, envelope=dsse.to_bytes(kept.envelope)
        )
    )


def is_revoked(connection: sa.Connection, authority: str, digest: str) -> bool:
    """Tell whether a document was taken back."""
    same = (revocations.c.authority == authority) & (revocations.c.digest == digest)
    return connection.execute(sa.select(revocations.c.digest).where(same)).first() is not None


def case_from(connection: sa.Connection, row: sa.Row[Any]) -> Case:
    """Return the case of a row, with what other tables keep of it."""
    beside = connection.execute(
        sa.select(attachments.c.content)
        .where(attachments.c.case_id == row.case_id)
        .order_by(attachments.c.position)
    ).scalars()
    tickets = connection.execute(
        sa.select(case_tickets.c.digest).where(case_tickets.c.case_id == row.case_id)
    ).scalars()
    kept = _of(connection, decisions, row.case_id)
    events = _of(connection, case_events, row.case_id)
    settlements = _of(connection, case_settlements, row.case_id)
    delivery = connection.execute(
        sa.select(case_deliveries).where(case_deliveries.c.case_id == row.case_id)
    ).one_or_none()
    return Case(
        id=row.case_id,
        kind=row.kind,
        state=State(row.state),
        document=Received(row.media_type, row.content, tuple(beside)),
        payload=row.payload,
        identity=DocumentId(
            authority=row.authority, number=row.number, case_number=row.case_number, digest=row.digest
        ),
        filer=row.filer,
        received_ms=row.received_ms,
        tickets=frozenset(tickets),
        forecast=_envelope(row.forecast),
        remarks=reasons_from(row.remarks),
        refusal=reasons_from(row.refusal),
        body=row.body,
        statement=_logged(row.statement, row.proof),
        request=row.request,
        decisions=tuple(KeptDecision(one.digest, one.person, dsse.from_bytes(one.envelope)) for one in kept),
        events=tuple(Event(one.at_ms, Cause(one.cause), State(one.state), one.who) for one in events),
        delivery=None if delivery is None else _delivery(delivery),
        settlements=tuple(
            Settlement(one.item, one.at_ms, one.who, one.reason, one.ground, one.until_ms)
            for one in settlements
        ),
    )


def _delivery(row: sa.Row[Any]) -> Delivery:
    receipt = Logged(dsse.from_bytes(row.receipt), _proof(row.proof))
    return Delivery(receipt, row.delivered_ms, row.delivered_index, row.acknowledged_ms)


def _of(connection: sa.Connection, table: sa.Table, case: bytes) -> sa.CursorResult[Any]:
    return connection.execute(sa.select(table).where(table.c.case_id == case).order_by(table.c.id))


def _envelope(data: bytes | None) -> Envelope | None:
    return None if data is None else dsse.from_bytes(data)


def _logged(statement: bytes | None, proof: bytes | None) -> Logged | None:
    if statement is None or proof is None:
        return None
    return Logged(dsse.from_bytes(statement), _proof(proof))


def _proof(data: bytes) -> LogProof:
    return LogProof.from_object(strict_json.parse_object(data))


def proof_bytes(proof: LogProof) -> bytes:
    """Return a proof as it is stored."""
    return strict_json.dump(proof.to_object())


def reasons_text(reasons: Iterable[Reason]) -> str:
    """Return reasons as they are stored."""
    return json.dumps([dataclasses.astuple(one) for one in reasons], ensure_ascii=False)


def reasons_from(text: str) -> tuple[Reason, ...]:
    """Return stored reasons."""
    return tuple(Reason(*one) for one in json.loads(text))
