"""What custody needs of others, as types: the log, governance, the case status, the opener."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from sqlalchemy import Connection

from garim.kit.governance import Version
from garim.kit.governance_history import InForce
from garim.kit.ledger import LoggedEntry
from garim.kit.ledger.ledger import Sealing
from garim.statements.dsse import Envelope
from garim.statements.governance import Governance
from garim.statements.model import CheckpointSeen
from garim.translog.leaf import Leaf
from garim.translog.proven import LogProof


class Log(Protocol):
    """The service's own end of the transparency log (`garim.kit.ledger`)."""

    def append(
        self,
        kind: str,
        body: bytes,
        *,
        key: str,
        magnitudes: Mapping[str, int] = ...,
        sealed: Sealing | None = None,
    ) -> LoggedEntry:
        """Append an entry and return its proof; the intent is durable before."""
        ...

    def later(
        self,
        kind: str,
        body: bytes,
        *,
        key: str,
        magnitudes: Mapping[str, int] = ...,
        sealed: Sealing | None = None,
        within: Connection | None = None,
    ) -> None:
        """Keep the intent durably now; it is appended when the log answers."""
        ...

    def verify(self, body: bytes, proof: LogProof, *, kind: str, actor: str) -> Leaf:
        """Demand that `actor` has logged `body` as `kind`, consistently with our pin; then pin."""
        ...

    def is_succeeded(self, proof: LogProof) -> bool:
        """Tell whether a proof claims a log that another has succeeded."""
        ...

    def checkpoint_seen(self) -> CheckpointSeen | None:
        """Return the largest pinned checkpoint."""
        ...


class GovernanceSource(Protocol):
    """Where the governance version in force comes from."""

    def current(self) -> Governance:
        """Return the version in force."""
        ...

    def version(self, number: int) -> Version | None:
        """Return the version of that number, if it is known."""
        ...

    def history(self) -> tuple[InForce, ...]:
        """Return the versions with the time from which each is in force, in order."""
        ...


class CaseStatusSource(Protocol):
    """Asks warrants for the status of a case."""

    def case_status(self, document: bytes, nonce: bytes) -> Envelope:
        """Return the status that warrants signs for a document (SHA-256 of its payload) and this nonce.

        Raises:
            RefusedError: Whatever kept warrants from answering.
        """
        ...


class Opener(Protocol):
    """Does the work with open keys where the main process cannot see it."""

    def run(self, job: bytes) -> bytes:
        """Perform an encoded job and return its encoded answer.

        Raises:
            RefusedError: What the job was refused with; `OPENER_FAILED` where the child gave no answer.
        """
        ...
