"""What the use cases need of others, as types: the tables, the log, governance, custody and messages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from garim.kit.convert import Logged, Received
from garim.kit.governance_history import InForce
from garim.statements.dsse import Envelope
from garim.statements.governance import Governance
from garim.statements.model import CheckpointSeen
from garim.translog.leaf import Leaf
from garim.translog.proven import LogProof
from garim.warrants.cases import Case, Change, Note, Overlap, RefusedDocument
from garim.warrants.hi1_rows import KeptObject, Taken
from garim.warrants.machine import State


class View(Protocol):
    """What a rule sees inside its transaction."""

    @property
    def case(self) -> Case:
        """The case as it stands now."""
        ...

    def overlapping(self, conversations: Iterable[str]) -> tuple[Overlap, ...]:
        """Return other cases, undecided or granted, that matched one of these conversations, by case id."""
        ...

    def conversations(self) -> tuple[str, ...]:
        """Return the conversations that this case matched."""
        ...

    def case_of(self, digest: str) -> Case | None:
        """Return the case of another document."""
        ...


Rule = Callable[[View], Change]
"""Looks at a case inside a transaction and says what to change; it calls nobody."""


class Store(Protocol):
    """The service's tables."""

    def claim(self, fresh: Case, who: str, message: Taken | None = None) -> Case:
        """Open a case, or return the one that the same payload has opened before.

        Args:
            fresh: The new case.
            who: Who filed the document: `person/ROLE/NAME`.
            message: The HI1 message that it came as; remembered with it, or neither is.

        Raises:
            RefusedError: `DOCUMENT_NUMBER_USED` (exists): another payload has this authority's number.
                `DOCUMENT_REVOKED`: it was taken back before it came. Those of `hi1_rows.remember`.
        """
        ...

    def settle(self, case: bytes, rule: Rule) -> Case:
        """Change a case in one serialised transaction, and return it as it stands then.

        Raises:
            RefusedError: `CASE_UNKNOWN`; `CASE_TRANSITION`: the table of transitions does not allow it.
        """
        ...

    def by_id(self, case: bytes) -> Case | None:
        """Return a case by its id."""
        ...

    def by_document(self, digest: str) -> Case | None:
        """Return a case by the digest of its document's payload."""
        ...

    def by_number(self, authority: str, number: str) -> Case | None:
        """Return a case by its document's number."""
        ...

    def is_revoked(self, authority: str, digest: str) -> bool:
        """Tell whether a document was taken back."""
        ...

    def page(self, states: Collection[State], before: int | None, limit: int) -> Sequence[tuple[int, Case]]:
        """Return cases with their places in order of receipt, newest first.

        Args:
            states: Only these.
            before: Only cases before this place; None starts with the newest.
            limit: At most this many.
        """
        ...

    def refuse(self, refused: RefusedDocument, note: Note) -> None:
        """Keep that a document was refused before it opened a case, and note it for the log."""
        ...

    def refused(self, refusal: bytes) -> RefusedDocument | None:
        """Return a document that was refused before it opened a case."""
        ...

    def received_between(
        self, from_ms: int, to_ms: int, offset: int, limit: int
    ) -> Sequence[Case | RefusedDocument]:
        """Return what was received in a time, oldest first.

        Args:
            from_ms: First millisecond, since 1970.
            to_ms: First millisecond behind.
            offset: How many to leave out.
            limit: At most this many.
        """
        ...

    def transaction_known(self, sender: str, transaction: str) -> bool:
        """Tell whether an agency's HI1 transaction took place."""
        ...

    def hi1_object(self, identifier: str) -> KeptObject | None:
        """Return an HI1 object by its identifier."""
        ...

    def hi1_objects_of(self, owner: str, limit: int) -> Sequence[KeptObject]:
        """Return an agency's HI1 objects, the latest first, at most so many."""
        ...

    def remember(self, message: Taken) -> None:
        """Remember a message that only asks.

        Raises:
            RefusedError: `TRANSACTION_REPEATED`.
        """
        ...


class LoggedEntry(Protocol):
    """An entry that is in the log."""

    @property
    def proof(self) -> LogProof:
        """Proof over the body."""
        ...

    @property
    def time_ms(self) -> int:
        """Time in the entry: the one by which expiry is judged."""
        ...


class Log(Protocol):
    """The service's own end of the transparency log (`garim.kit.ledger`)."""

    def append(self, kind: str, body: bytes, *, key: str, magnitudes: Mapping[str, int] = ...) -> LoggedEntry:
        """Append an entry and return its verified proof."""
        ...

    def is_succeeded(self, proof: LogProof) -> bool:
        """Tell whether a proof claims a log that another has succeeded."""
        ...

    def checkpoint_seen(self) -> CheckpointSeen | None:
        """Return the largest pinned checkpoint."""
        ...

    def verify(self, body: bytes, proof: LogProof, *, kind: str, actor: str) -> Leaf:
        """Demand that somebody has logged `body`, in the one history that is pinned."""
        ...


class GovernanceSource(Protocol):
    """Where the governance version in force comes from."""

    def current(self) -> Governance:
        """Return the version in force."""
        ...

    def history(self) -> tuple[InForce, ...]:
        """Return the versions with the time from which each is in force, in order."""
        ...


class Custody(Protocol):
    """The calls to custody."""

    def forecast_ticket(self, document: Received) -> Envelope:
        """Return custody's signed scope ticket for a forecast."""
        ...

    def request_unmask(self, document: Received, grant: Logged) -> bytes:
        """Open an unmask request and return its id; the same document returns the same one."""
        ...

    def submit_revocation(self, document: Received) -> None:
        """Hand on a signed revocation."""
        ...


class Messages(Protocol):
    """The calls to the message store."""

    def forecast(self, ticket: Envelope) -> Envelope:
        """Return the store's signed forecast of what a ticket matches."""
        ...
