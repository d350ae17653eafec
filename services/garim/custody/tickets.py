"""Scope tickets: the blinded tags of a document's subjects for one purpose; all the store ever matches."""

from __future__ import annotations

from typing import Literal

from garim.custody.checks import LoggedGrant, verified_document, verified_grant
from garim.custody.core import Core
from garim.custody.gate import demand_granted, demand_running
from garim.custody.preserved import find_preserved
from garim.custody.releases import unknown_dossier
from garim.custody.scopes import demand_disclosure, demand_preservation
from garim.custody.tables import dossiers
from garim.custody.tagging import covered
from garim.documents.claims import Disclosure, Keeping, Preservation
from garim.documents.scope import period_of, subjects_of
from garim.documents.verify import VerifiedDocument
from garim.kit.convert import Logged, Received
from garim.statements.dsse import Envelope
from garim.statements.grants import DisclosureGrant, PreservationGrant
from garim.statements.refusal import Kind, RefusedError
from garim.statements.scope import EpochTags, ScopeTicket

TICKET_LIFE_MS = 3_600_000
ID_BYTES = 16

Purpose = Literal["forecast", "read", "preserve"]


class Tickets:
    """Signs scope tickets.

    Args:
        core: Custody's means.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    def forecast(self, received: Received) -> Envelope:
        """Sign a ticket that only counts; it needs no grant.

        Args:
            received: A disclosure document.

        Raises:
            RefusedError: Those of `verified_document`; `FROZEN`, `DOCUMENT_REVOKED`, `CASE_STATE`.
        """
        document, claims = verified_document(self._core, received, Disclosure)
        self._demand_running(document)
        return self._sign(document, claims, "forecast", None)

    def read(self, received: Received, logged: Logged) -> Envelope:
        """Sign a ticket to read for an open dossier.

        Args:
            received: A disclosure document.
            logged: Its grant.

        Raises:
            RefusedError: Those of `verified_document` and `verified_grant`; `GRANT_SCOPE`, `DOSSIER_UNKNOWN`,
                `DOCUMENT_CLOSED`, `FROZEN`, `DOCUMENT_REVOKED`, `CASE_STATE`, `CASE_STATUS`.
        """
        document, claims = verified_document(self._core, received, Disclosure)
        self._demand_running(document)
        grant, proven = verified_grant(self._core, logged, DisclosureGrant, "disclosure-granted")
        demand_disclosure(grant, document, claims)
        self._demand_open(document, proven)
        demand_granted(self._core, document.digest, grant.case)
        return self._sign(document, claims, "read", proven)

    def preserve(self, received: Received, logged: Logged) -> Envelope:
        """Sign a ticket to read for a preservation order.

        Args:
            received: A preservation order.
            logged: Its grant.

        Raises:
            RefusedError: As `read`; `ORDER_ENDED`.
        """
        document, claims = verified_document(self._core, received, Keeping)
        self._demand_running(document)
        grant, proven = verified_grant(self._core, logged, PreservationGrant, "preservation-granted")
        demand_preservation(grant, document, claims)
        if self._core.clock.now_ms() >= claims.until_ms:
            raise RefusedError("ORDER_ENDED", "the preservation order has ended", kind=Kind.PRECONDITION)
        demand_granted(self._core, document.digest, grant.case)
        return self._sign(document, claims, "preserve", proven)

    def _demand_running(self, document: VerifiedDocument) -> None:
        with self._core.database.reading() as connection:
            demand_running(connection, document.digest)

    def _demand_open(self, document: VerifiedDocument, proven: LoggedGrant) -> None:
        """Refuse to read unless a dossier is open: then policy and review were judged, too."""
        with self._core.database.reading() as connection:
            dossier = dossiers.of_document(connection, document.digest)
        if dossier is None or dossier.state == "making" or dossier.grant_digest != proven.digest:
            raise unknown_dossier()
        if dossier.state != "open":
            raise RefusedError("DOCUMENT_CLOSED", "the document's dossier is closed", kind=Kind.PRECONDITION)

    def _sign(
        self,
        document: VerifiedDocument,
        claims: Disclosure | Keeping,
        purpose: Purpose,
        proven: LoggedGrant | None,
    ) -> Envelope:
        core = self._core
        period, issued = period_of(claims), claims.issued_ms
        preserved = find_preserved(core, claims) if isinstance(claims, Disclosure | Preservation) else None
        found = covered(core, subjects_of(claims), period, issued, preserved)
        now_ms = core.clock.now_ms()
        return ScopeTicket(
            mesh=core.mesh,
            purpose=purpose,
            issued=now_ms,
            expires=now_ms + TICKET_LIFE_MS,
            checkpoint=core.journal.checkpoint(),
            ticket=core.draw(ID_BYTES).hex(),
            document=document.digest,
            grant=None if proven is None else proven.digest,
            period=period,
            received_until=issued,
            until=claims.until_ms if isinstance(claims, Keeping) else None,
            epochs=tuple(
                EpochTags(epoch=epoch, tags=tuple(one.hex() for one in tags))
                for epoch, tags in sorted(found.tags.items())
            ),
            destroyed_epochs=found.destroyed,
        ).sign(core.sign)
