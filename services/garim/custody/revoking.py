"""Take in a signed revocation: it acts at once, on everything that rests on the document."""

from __future__ import annotations

import dataclasses

from sqlalchemy import Connection

from garim.custody.checks import verified_document
from garim.custody.core import Core
from garim.custody.deciding_unmask import end_request
from garim.custody.tables import dossiers, stopping, unmask
from garim.documents.claims import Revocation, RevokedDocument
from garim.kit.convert import Received
from garim.statements.refusal import Kind, RefusedError


@dataclasses.dataclass(frozen=True, slots=True)
class Revoking:
    """Takes revocations.

    Args:
        core: Custody's means.
    """

    core: Core

    def revoke(self, received: Received) -> None:
        """Stop a document for good; works while frozen and while the log is silent.

        Args:
            received: The signed revocation.

        Raises:
            RefusedError: Those of documents; `DOCUMENT_KIND`; `REVOKES_OTHER`: the document it names was used
                under another authority or number.
        """
        core = self.core
        document, claims = verified_document(core, received, Revocation)
        with core.database.writing() as connection:
            _demand_same(connection, claims.revokes)
            stop_document(connection, claims.revokes.sha256, core.clock.now_ms())
            core.journal.later("document-revoked", document.payload, key=document.digest, within=connection)


def stop_document(connection: Connection, digest: str, now_ms: int) -> None:
    """Stop a revoked document and end every unfinished request that rests on it.

    Args:
        connection: A writing transaction.
        digest: SHA-256 of the document's payload, hexadecimal.
        now_ms: Milliseconds since the Unix epoch.
    """
    stopping.stop(connection, digest, "revoked", now_ms)
    for request in unmask.unfinished(connection):
        dossier = dossiers.find(connection, request.dossier_id)
        first = None if dossier is None else dossier.document_digest
        if digest in {request.document_digest, first}:
            end_request(connection, request.id, "revoked", now_ms)


def _demand_same(connection: Connection, revokes: RevokedDocument) -> None:
    """Refuse to let one authority take back what another one's document was used for."""
    used = dossiers.used(connection, revokes.sha256)
    if used is not None and used != (revokes.authority, revokes.number):
        raise RefusedError(
            "REVOKES_OTHER",
            "the document it names has another authority or number",
            kind=Kind.FORBIDDEN,
            field="revokes",
        )
