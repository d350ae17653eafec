"""The queries of warrants, each in one transaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Sequence

import sqlalchemy as sa

from garim.kit.clock import Clock
from garim.kit.db import Database
from garim.kit.ledger import Ledger
from garim.statements.refusal import Kind, RefusedError
from garim.warrants import case_rows, hi1_rows, machine
from garim.warrants.cases import Case, Change, Event, Note, Overlap, RefusedDocument
from garim.warrants.hi1_rows import KeptObject, Taken
from garim.warrants.machine import Cause, State
from garim.warrants.ports import Rule
from garim.warrants.schema import case_conversations, cases, refused_documents

Noting = Callable[[sa.Connection, Note], None]
"""Makes a note durable inside an open transaction; it is logged when the log answers."""


def noting_in(ledger: Ledger) -> Noting:
    """Return how notes become intents of a ledger, in the transaction that makes the act itself durable."""

    def noting(connection: sa.Connection, note: Note) -> None:
        ledger.later(note.kind, note.body, key=note.key, magnitudes=note.magnitudes, within=connection)

    return noting


Watch = Callable[[bytes, Event], None]
"""Hears of a case's transition."""

# States in which a case's conversations count as touched; a cancelled one's count once a grant was made.
_TOUCHING = {State.IN_REVIEW, State.GRANTING} | machine.GRANTED


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
        clock: When transitions happen.
        watch: Told of each transition once it is durable.
    """

    def __init__(self, database: Database, noting: Noting, clock: Clock, watch: Watch) -> None:
        self._database = database
        self._noting = noting
        self._clock = clock
        self._watch = watch

    def claim(self, fresh: Case, who: str, message: Taken | None = None) -> Case:
        """Open a case, or return the one that the same payload has opened before; see `ports.Store`."""
        identity = fresh.identity
        with self._database.writing() as connection:
            known = _one(connection, cases.c.digest == identity.digest)
            if known is not None:
                if message is not None:
                    hi1_rows.remember(connection, message, known.id)
                return known
            same = (cases.c.authority == identity.authority) & (cases.c.number == identity.number)
            if connection.execute(sa.select(cases.c.place).where(same)).first() is not None:
                raise RefusedError(
                    "DOCUMENT_NUMBER_USED",
                    "another document of this authority has this number",
                    kind=Kind.EXISTS,
                    field="number",
                )
            if case_rows.is_revoked(connection, identity.authority, identity.digest):
                raise RefusedError(
                    "DOCUMENT_REVOKED",
                    "the document has been revoked",
                    kind=Kind.PRECONDITION,
                    field="number",
                )
            case_rows.insert(connection, fresh)
            accepted = self._event(Cause.ACCEPTED, machine.opened(fresh.kind), who)
            case_rows.record(connection, fresh.id, accepted)
            if message is not None:
                hi1_rows.remember(connection, message, fresh.id)
        self._watch(fresh.id, accepted)
        return dataclasses.replace(fresh, events=(accepted,))

    def settle(self, case: bytes, rule: Rule) -> Case:
        """Change a case in one serialised transaction; see `ports.Store`."""
        with self._database.writing() as connection:
            before = _one(connection, cases.c.case_id == case)
            if before is None:
                raise RefusedError("CASE_UNKNOWN", "there is no such case", kind=Kind.NOT_FOUND)
            change = rule(CaseView(connection, before))
            moved = self._apply(connection, before, change)
            if change.message is not None:
                hi1_rows.remember(connection, change.message, before.id)
            for note in change.notes:
                self._noting(connection, note)
            after = _one(connection, cases.c.case_id == case)
        for one, event in moved:
            self._watch(one, event)
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
            return case_rows.is_revoked(connection, authority, digest)

    def page(self, states: Collection[State], before: int | None, limit: int) -> Sequence[tuple[int, Case]]:
        """Return cases with their places, newest first; see `ports.Store`."""
        query = sa.select(cases).where(cases.c.state.in_(states)).order_by(cases.c.place.desc()).limit(limit)
        if before is not None:
            query = query.where(cases.c.place < before)
        with self._database.reading() as connection:
            return [
                (row.place, case_rows.case_from(connection, row)) for row in connection.execute(query).all()
            ]

    def transaction_known(self, sender: str, transaction: str) -> bool:
        """Tell whether an agency's HI1 transaction took place."""
        with self._database.reading() as connection:
            return hi1_rows.is_known(connection, sender, transaction)

    def hi1_object(self, identifier: str) -> KeptObject | None:
        """Return an HI1 object by its identifier."""
        with self._database.reading() as connection:
            return hi1_rows.find(connection, identifier)

    def hi1_objects_of(self, owner: str, limit: int) -> Sequence[KeptObject]:
        """Return an agency's HI1 objects, the latest first."""
        with self._database.reading() as connection:
            return hi1_rows.of_owner(connection, owner, limit)

    def remember(self, message: Taken) -> None:
        """Remember a message that only asks; see `ports.Store`."""
        with self._database.writing() as connection:
            hi1_rows.remember(connection, message, None)

    def refuse(self, refused: RefusedDocument, note: Note) -> None:
        """Keep that a document was refused before it opened a case; see `ports.Store`."""
        with self._database.writing() as connection:
            connection.execute(
                sa.insert(refused_documents).values(
                    refusal_id=refused.id,
                    content=refused.content,
                    who=refused.who,
                    received_ms=refused.received_ms,
                    reasons=case_rows.reasons_text(refused.reasons),
                )
            )
            self._noting(connection, note)

    def refused(self, refusal: bytes) -> RefusedDocument | None:
        """Return a document that was refused before it opened a case."""
        query = sa.select(refused_documents).where(refused_documents.c.refusal_id == refusal)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        reasons = case_rows.reasons_from(row.reasons)
        return RefusedDocument(row.refusal_id, row.content, row.who, row.received_ms, reasons)

    def received_between(
        self, from_ms: int, to_ms: int, offset: int, limit: int
    ) -> Sequence[Case | RefusedDocument]:
        """Return what was received in a time, oldest first; see `ports.Store`."""
        opened = sa.select(cases.c.received_ms, cases.c.case_id.label("id"))
        refused = sa.select(refused_documents.c.received_ms, refused_documents.c.refusal_id)
        both = sa.union_all(opened, refused).subquery()
        query = (
            sa.select(both.c.id)
            .where(both.c.received_ms >= from_ms, both.c.received_ms < to_ms)
            .order_by(both.c.received_ms, both.c.id)
            .offset(offset)
            .limit(limit)
        )
        with self._database.reading() as connection:
            found = connection.execute(query).scalars().all()
        received = [self.by_id(one) or self.refused(one) for one in found]
        return [one for one in received if one is not None]

    def _event(self, cause: Cause, state: State, who: str) -> Event:
        return Event(self._clock.now_ms(), cause, state, who)

    def _apply(self, connection: sa.Connection, case: Case, change: Change) -> list[tuple[bytes, Event]]:
        """Make a change, and return the transitions that it caused."""
        state = None if change.cause is None else machine.after(case.kind, case.state, change.cause)
        case_rows.update(connection, case, change, state)
        moved = []
        if change.cause is not None and state is not None:
            moved.append((case.id, self._event(change.cause, state, change.who)))
        if change.cascade:
            moved += self._cancel_seconds(connection, case, change.who)
        for one, event in moved:
            case_rows.record(connection, one, event)
        return moved

    def _cancel_seconds(self, connection: sa.Connection, case: Case, who: str) -> list[tuple[bytes, Event]]:
        """Cancel the cases that name this one's document as their first."""
        cause = Cause.CANCELLED_WITH_FIRST
        query = sa.select(cases.c.case_id, cases.c.kind, cases.c.state).where(
            cases.c.first == case.identity.digest, cases.c.state.in_(machine.TRANSITIONS[cause].before)
        )
        cancelled = []
        for row in connection.execute(query).all():
            state = machine.after(row.kind, State(row.state), cause)
            connection.execute(sa.update(cases).where(cases.c.case_id == row.case_id).values(state=state))
            cancelled.append((row.case_id, self._event(cause, state, who)))
        return cancelled


def _one(connection: sa.Connection, which: sa.ColumnElement[bool]) -> Case | None:
    row = connection.execute(sa.select(cases).where(which)).first()
    return None if row is None else case_rows.case_from(connection, row)
