"""Tables and queries: the only SQL of warrants. Ids and digests are bytes or lower-case hexadecimal."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from garim.kit import governance_table, revocation_lists
from garim.kit.convert import Logged, Received
from garim.kit.db import Database
from garim.kit.ledger import Ledger
from garim.kit.ledger import add_to as add_ledger_to
from garim.statements import dsse, strict_json
from garim.statements.dsse import Envelope
from garim.statements.grants import DocumentId
from garim.statements.refusal import Kind, RefusedError
from garim.translog.proven import LogProof
from garim.warrants.cases import Case, Change, KeptDecision, Note, Overlap, Reason, State
from garim.warrants.ports import Rule

metadata = sa.MetaData()
add_ledger_to(metadata)
governance_table.add_to(metadata)
revocation_lists.add_to(metadata)

cases = sa.Table(
    "cases",
    metadata,
    # Never used twice, so that a page token stays where it was.
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("case_id", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("authority", sa.Text, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("case_number", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False, unique=True),
    # For a second request: the first document's digest.
    sa.Column("first", sa.Text, index=True),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("filer", sa.Text, nullable=False),
    sa.Column("received_ms", sa.BigInteger, nullable=False),
    sa.Column("forecast", sa.LargeBinary),
    sa.Column("remarks", sa.Text, nullable=False),
    sa.Column("refusal", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary),
    sa.Column("statement", sa.LargeBinary),
    sa.Column("proof", sa.LargeBinary),
    sa.Column("request", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("authority", "number"),
    sqlite_autoincrement=True,
)

attachments = sa.Table(
    "attachments",
    metadata,
    sa.Column("case_id", sa.LargeBinary, sa.ForeignKey("cases.case_id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("case_id", sa.LargeBinary, sa.ForeignKey("cases.case_id"), nullable=False, index=True),
    sa.Column("digest", sa.Text, nullable=False, unique=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("envelope", sa.LargeBinary, nullable=False),
)

case_tickets = sa.Table(
    "case_tickets",
    metadata,
    sa.Column("case_id", sa.LargeBinary, sa.ForeignKey("cases.case_id"), primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
)

case_conversations = sa.Table(
    "case_conversations",
    metadata,
    sa.Column("case_id", sa.LargeBinary, sa.ForeignKey("cases.case_id"), primary_key=True),
    sa.Column("conversation", sa.Text, primary_key=True, index=True),
)

revocations = sa.Table(
    "revocations",
    metadata,
    sa.Column("authority", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
)

Noting = Callable[[sa.Connection, Note], None]
"""Makes a note durable inside an open transaction; it is logged when the log answers."""


def noting_in(ledger: Ledger) -> Noting:
    """Return how notes become intents of a ledger, in the transaction that makes the act itself durable."""

    def noting(connection: sa.Connection, note: Note) -> None:
        ledger.later(note.kind, note.body, key=note.key, magnitudes=note.magnitudes, within=connection)

    return noting


# States in which a case's conversations count as touched; a cancelled one's count once a grant was made.
_TOUCHING = (State.IN_REVIEW, State.GRANTING, State.GRANTED)


@dataclasses.dataclass(frozen=True)
class CaseView:
    """A `ports.View`: one case inside an open transaction.

    Attributes:
        connection: The transaction.
        case: The case as it stands.
    """

    connection: sa.Connection
    case: Case

    def overlapping(self, conversations: Iterable[str]) -> tuple[Overlap, ...]:
        """Return other cases that matched one of these conversations, by case id."""
        touched = cases.c.state.in_(_TOUCHING) | (
            (cases.c.state == State.CANCELLED) & cases.c.body.is_not(None)
        )
        found: dict[bytes, bool] = {}
        for conversation in conversations:
            rows = self.connection.execute(
                sa.select(cases.c.case_id, cases.c.body.is_not(None).label("granted"))
                .join(case_conversations, case_conversations.c.case_id == cases.c.case_id)
                .where(case_conversations.c.conversation == conversation, touched)
                .where(cases.c.case_id != self.case.id)
            )
            found.update({row.case_id: bool(row.granted) for row in rows})
        return tuple(Overlap(case, granted) for case, granted in sorted(found.items()))

    def conversations(self) -> tuple[str, ...]:
        """Return the conversations that this case matched."""
        mine = case_conversations.c.case_id == self.case.id
        query = sa.select(case_conversations.c.conversation).where(mine)
        return tuple(sorted(self.connection.execute(query).scalars()))

    def case_of(self, digest: str) -> Case | None:
        """Return the case of another document."""
        return _one(self.connection, cases.c.digest == digest)


class CaseTables:
    """The `ports.Store` of the service.

    Args:
        database: The service's own.
        noting: Notes what is logged later.
    """

    def __init__(self, database: Database, noting: Noting) -> None:
        self._database = database
        self._noting = noting

    def claim(self, fresh: Case) -> Case:
        """Open a case, or return the one that the same payload has opened before; see `ports.Store`."""
        identity = fresh.identity
        with self._database.writing() as connection:
            known = _one(connection, cases.c.digest == identity.digest)
            if known is not None:
                return known
            same = (cases.c.authority == identity.authority) & (cases.c.number == identity.number)
            if connection.execute(sa.select(cases.c.place).where(same)).first() is not None:
                raise RefusedError(
                    "DOCUMENT_NUMBER_USED",
                    "another document of this authority has this number",
                    kind=Kind.EXISTS,
                    field="number",
                )
            if _is_revoked(connection, identity.authority, identity.digest):
                raise RefusedError(
                    "DOCUMENT_REVOKED",
                    "the document has been revoked",
                    kind=Kind.PRECONDITION,
                    field="number",
                )
            _insert(connection, fresh)
        return fresh

    def settle(self, case: bytes, rule: Rule) -> Case:
        """Change a case in one serialised transaction; see `ports.Store`."""
        with self._database.writing() as connection:
            before = _one(connection, cases.c.case_id == case)
            if before is None:
                raise RefusedError("CASE_UNKNOWN", "there is no such case", kind=Kind.NOT_FOUND)
            change = rule(CaseView(connection, before))
            _apply(connection, before, change)
            for note in change.notes:
                self._noting(connection, note)
            after = _one(connection, cases.c.case_id == case)
        return before if after is None else after

    def by_id(self, case: bytes) -> Case | None:
        """Return a case by its id."""
        with self._database.reading() as connection:
            return _one(connection, cases.c.case_id == case)

    def by_document(self, digest: str) -> Case | None:
        """Return a case by the digest of its document's payload."""
        with self._database.reading() as connection:
            return _one(connection, cases.c.digest == digest)

    def by_number(self, authority: str, number: str) -> Case | None:
        """Return a case by its document's number."""
        with self._database.reading() as connection:
            return _one(connection, (cases.c.authority == authority) & (cases.c.number == number))

    def is_revoked(self, authority: str, digest: str) -> bool:
        """Tell whether a document was taken back."""
        with self._database.reading() as connection:
            return _is_revoked(connection, authority, digest)

    def page(self, states: Collection[State], before: int | None, limit: int) -> Sequence[tuple[int, Case]]:
        """Return cases with their places, newest first; see `ports.Store`."""
        query = sa.select(cases).where(cases.c.state.in_(states)).order_by(cases.c.place.desc()).limit(limit)
        if before is not None:
            query = query.where(cases.c.place < before)
        with self._database.reading() as connection:
            return [(row.place, _case(connection, row)) for row in connection.execute(query).all()]

    def note(self, note: Note) -> None:
        """Make a note durable on its own; see `ports.Notebook`."""
        with self._database.writing() as connection:
            self._noting(connection, note)


def _insert(connection: sa.Connection, case: Case) -> None:
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
            remarks=_reasons_text(case.remarks),
            refusal=_reasons_text(case.refusal),
            request=case.request,
        )
    )
    for position, content in enumerate(case.document.attachments):
        connection.execute(sa.insert(attachments).values(case_id=case.id, position=position, content=content))


def _apply(connection: sa.Connection, case: Case, change: Change) -> None:
    values: dict[str, Any] = {
        "state": change.state,
        "forecast": None if change.forecast is None else dsse.to_bytes(change.forecast),
        "remarks": None if change.remarks is None else _reasons_text(change.remarks),
        "refusal": None if change.refusal is None else _reasons_text(change.refusal),
        "body": change.body,
        "request": change.request,
    }
    if change.statement is not None:
        values["statement"] = dsse.to_bytes(change.statement.statement)
        values["proof"] = strict_json.dump(change.statement.proof.to_object())
    values = {name: value for name, value in values.items() if value is not None}
    if values:
        connection.execute(sa.update(cases).where(cases.c.case_id == case.id).values(**values))
    if change.ticket is not None:
        connection.execute(sa.insert(case_tickets).values(case_id=case.id, digest=change.ticket))
    for conversation in dict.fromkeys(change.conversations or ()):
        connection.execute(sa.insert(case_conversations).values(case_id=case.id, conversation=conversation))
    if change.decision is not None:
        _insert_decision(connection, case.id, change.decision)
    if change.cascade:
        resting = cases.c.state.not_in((State.REFUSED, State.CANCELLED))
        connection.execute(
            sa.update(cases)
            .where((cases.c.first == case.identity.digest) & resting)
            .values(state=State.CANCELLED)
        )
    if change.revokes is not None:
        authority, digest = change.revokes
        if not _is_revoked(connection, authority, digest):
            connection.execute(sa.insert(revocations).values(authority=authority, digest=digest))


def _insert_decision(connection: sa.Connection, case: bytes, kept: KeptDecision) -> None:
    connection.execute(
        sa.insert(decisions).values(
            case_id=case, digest=kept.digest, person=kept.person, envelope=dsse.to_bytes(kept.envelope)
        )
    )


def _is_revoked(connection: sa.Connection, authority: str, digest: str) -> bool:
    same = (revocations.c.authority == authority) & (revocations.c.digest == digest)
    return connection.execute(sa.select(revocations.c.digest).where(same)).first() is not None


def _one(connection: sa.Connection, which: sa.ColumnElement[bool]) -> Case | None:
    row = connection.execute(sa.select(cases).where(which)).first()
    return None if row is None else _case(connection, row)


def _case(connection: sa.Connection, row: sa.Row[Any]) -> Case:
    beside = connection.execute(
        sa.select(attachments.c.content)
        .where(attachments.c.case_id == row.case_id)
        .order_by(attachments.c.position)
    ).scalars()
    tickets = connection.execute(
        sa.select(case_tickets.c.digest).where(case_tickets.c.case_id == row.case_id)
    ).scalars()
    kept = connection.execute(
        sa.select(decisions).where(decisions.c.case_id == row.case_id).order_by(decisions.c.id)
    )
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
        remarks=_reasons(row.remarks),
        refusal=_reasons(row.refusal),
        body=row.body,
        statement=_logged(row.statement, row.proof),
        request=row.request,
        decisions=tuple(KeptDecision(one.digest, one.person, dsse.from_bytes(one.envelope)) for one in kept),
    )


def _envelope(data: bytes | None) -> Envelope | None:
    return None if data is None else dsse.from_bytes(data)


def _logged(statement: bytes | None, proof: bytes | None) -> Logged | None:
    if statement is None or proof is None:
        return None
    return Logged(dsse.from_bytes(statement), LogProof.from_object(strict_json.parse_object(proof)))


def _reasons_text(reasons: Iterable[Reason]) -> str:
    return json.dumps([dataclasses.astuple(one) for one in reasons], ensure_ascii=False)


def _reasons(text: str) -> tuple[Reason, ...]:
    return tuple(Reason(*one) for one in json.loads(text))
