"""Hand out closed packages and take their acknowledgement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from garim.api.common.v1 import statement_pb2
from garim.api.redaction.v1 import redaction_pb2
from garim.documents.acknowledgement import verify_acknowledgement
from garim.kit.db import Database
from garim.kit.ledger import Ledger
from garim.redaction.attempt.job import Packed
from garim.redaction.builds import Builds
from garim.redaction.peers import RedactionPeers
from garim.redaction.tables import ACKNOWLEDGED, CLOSED, builds
from garim.statements import strict_json
from garim.statements.refusal import Kind, RefusedError

CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Delivery:
    """Delivers packages.

    Args:
        builds: Knows what was made.
        database: The service's own.
        peers: Tells the case status.
        ledger: Deliveries are logged first.
        spool: Where packages lie.
        draw: Returns that many random bytes; each delivery has an id of its own.
    """

    builds: Builds
    database: Database
    peers: RedactionPeers
    ledger: Ledger
    spool: Path
    draw: Callable[[int], bytes]

    def fetch(self, case_id: bytes, offset: int) -> Iterator[redaction_pb2.FetchDossierResponse]:
        """Yield the receipt, then the package from an offset; the case must be granted now.

        Raises:
            RefusedError: `DOSSIER_NOT_CLOSED`, `DOSSIER_ACKNOWLEDGED`, `CASE_STATE`, `OFFSET`,
                `SPOOL_MISSING`, and why the log or warrants refuses.
        """
        row = self._closed(case_id)
        self.peers.demand_granted(row.document)
        size = Packed.from_bytes(row.packed).figures.package_bytes
        if not 0 <= offset <= size:
            raise RefusedError("OFFSET", "the offset lies behind the package's end", field="offset")
        if row.state == ACKNOWLEDGED:
            raise RefusedError(
                "DOSSIER_ACKNOWLEDGED",
                "the recipient has acknowledged the package; the spool is deleted",
                kind=Kind.PRECONDITION,
            )
        path = self.spool / row.package
        if not path.is_file():
            raise RefusedError("SPOOL_MISSING", "the package is not in the spool", kind=Kind.DATA_LOSS)
        # Drawn anew, so that every delivery is an entry of its own, the same offset's too.
        delivery = self.draw(16).hex()
        body = strict_json.dump({"delivery": delivery, "dossier": row.dossier.hex(), "offset": offset})
        logged = self.ledger.append("delivered", body, key=delivery, magnitudes={"bytes": size})
        receipt = statement_pb2.LoggedStatement.FromString(row.receipt)
        # Duties begin with a delivery: nothing leaves that warrants does not know of.
        self.peers.record_closed(case_id, receipt)
        self.peers.record_delivered(case_id, body, logged.proof)
        yield redaction_pb2.FetchDossierResponse(receipt=receipt)
        with path.open("rb") as source:
            source.seek(offset)
            while chunk := source.read(CHUNK):
                yield redaction_pb2.FetchDossierResponse(chunk=chunk)

    def acknowledge(self, case_id: bytes, acknowledgement: bytes) -> None:
        """Record the recipient's signed receipt and delete the spool; again changes nothing.

        Raises:
            RefusedError: `DOSSIER_NOT_CLOSED`, `ACKNOWLEDGEMENT_SIGNER`, `ACKNOWLEDGEMENT_DIGEST`; those of
                warrants, after which the same call goes on.
        """
        row = self._closed(case_id)
        packed = Packed.from_bytes(row.packed)
        verify_acknowledgement(acknowledgement, signer=row.acknowledger, package=packed.package)
        body = strict_json.dump({"dossier": row.dossier.hex(), "package": packed.package})
        self.ledger.append("acknowledged", body, key=row.dossier.hex())
        with self.database.writing() as connection:
            connection.execute(
                sa.update(builds).where(builds.c.case_id == case_id).values(state=ACKNOWLEDGED)
            )
        (self.spool / row.package).unlink(missing_ok=True)
        self.peers.record_acknowledged(case_id, acknowledgement)

    def _closed(self, case_id: bytes) -> Any:
        row = self.builds.row(case_id)
        if row is None or row.state not in {CLOSED, ACKNOWLEDGED}:
            raise RefusedError("DOSSIER_NOT_CLOSED", "build the dossier first", kind=Kind.PRECONDITION)
        return row
