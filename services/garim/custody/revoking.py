"""Take in a signed revocation: it acts at once, on everything that rests on the document."""

from __future__ import annotations

import dataclasses

from garim.custody.checks import verified_document
from garim.custody.core import Core
from garim.custody.deciding_unmask import end_request
from garim.custody.tables import dossiers, stopping, unmask
from garim.documents.claims import Revocation
from garim.kit.convert import Received


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
            RefusedError: Those of documents; `DOCUMENT_KIND`.
        """
        core = self.core
        document, claims = verified_document(core, received, Revocation)
        revoked = claims.revokes.sha256
        with core.database.writing() as connection:
            stopping.stop(connection, revoked, "revoked", core.clock.now_ms())
            core.journal.later("document-revoked", document.payload, key=document.digest, within=connection)
        with core.database.reading() as connection:
            ended = [
                one
                for one in unmask.unfinished(connection)
                if revoked == one.document_digest
                or (
                    (dossier := dossiers.find(connection, one.dossier_id))
                    and dossier.document_digest == revoked
                )
            ]
        for request in ended:
            end_request(core, request, "revoked")
