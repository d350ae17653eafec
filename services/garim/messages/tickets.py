"""Scope tickets: what custody lets this store match, for one document and one purpose."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from garim.kit.clock import Clock
from garim.statements import dsse
from garim.statements.governance import Governance
from garim.statements.refusal import Kind, RefusedError
from garim.statements.scope import ScopeTicket


class Ticket(NamedTuple):
    """A verified ticket.

    Attributes:
        scope: What it says.
        digest: SHA-256 of its payload.
    """

    scope: ScopeTicket
    digest: bytes

    @property
    def document(self) -> bytes:
        """SHA-256 of the document's payload."""
        return bytes.fromhex(self.scope.document)

    @property
    def epochs(self) -> dict[bytes, tuple[bytes, ...]]:
        """The tags to match, by epoch id."""
        return {
            bytes.fromhex(one.epoch): tuple(bytes.fromhex(tag) for tag in one.tags)
            for one in self.scope.epochs
        }


class Tickets:
    """Verifies tickets.

    Args:
        governance: Returns the version in force, which pins custody's keys.
        mesh: Name of the mesh.
        clock: For expiry.
    """

    def __init__(self, governance: Callable[[], Governance], *, mesh: str, clock: Clock) -> None:
        self._governance = governance
        self._mesh = mesh
        self._clock = clock

    def verify(self, envelope: dsse.Envelope, *purposes: str) -> Ticket:
        """Return the ticket if custody signed it for one of these purposes and it has not expired.

        Args:
            envelope: What was received.
            purposes: What it may be for.

        Raises:
            RefusedError: `STATEMENT_TYPE`, `STATEMENT_SIGNATURE`, `STATEMENT_MESH`, `STATEMENT_EXPIRED`,
                `TICKET_PURPOSE`, `TICKET_TIME`, and those of governance.
        """
        now_ms = self._clock.now_ms()
        keys = self._governance().keys_of("custody")
        scope = ScopeTicket.verify(envelope, keys, mesh=self._mesh, now=now_ms)
        if scope.purpose not in purposes or (scope.purpose != "forecast" and scope.grant is None):
            raise RefusedError(
                "TICKET_PURPOSE",
                f"a ticket for {' or '.join(purposes)} is needed",
                kind=Kind.FORBIDDEN,
                field="purpose",
            )
        if scope.received_until > now_ms or scope.period.end > scope.received_until:
            # What is yet to come can be in no document's scope (invariant 7), whoever says so.
            raise RefusedError(
                "TICKET_TIME", "the ticket reaches into the future", kind=Kind.FORBIDDEN, field="period"
            )
        return Ticket(scope, hashlib.sha256(envelope.payload).digest())
