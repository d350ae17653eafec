"""What redaction and custody would hand warrants of a granted case."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.documents.acknowledgement import write_acknowledgement
from garim.kit.convert import Logged
from garim.kit.db import Database
from garim.kit.identity import service_id
from garim.kit.ledger import Ledger, LoggedEntry
from garim.kit.ledger.tables import create_all
from garim.statements import strict_json
from garim.statements.receipts import DossierReceipt
from garim.testing.operator import MESH
from garim.warrants.cases import Case
from warrants_support.desk import Desk

PACKAGE = hashlib.sha256(b"package").hexdigest()
DAY_MS = 24 * 3_600_000


class Others:
    """Custody's and redaction's ends of the log, and what they state.

    Args:
        desk: The service that hears of it.
        folder: For their databases.
    """

    def __init__(self, desk: Desk, folder: Path) -> None:
        self.desk = desk
        self.folder = folder
        self._databases: list[Database] = []
        self._ledgers: dict[str, Ledger] = {}

    def close(self) -> None:
        for one in self._databases:
            one.close()

    def ledger(self, service: str) -> Ledger:
        if service not in self._ledgers:
            database = Database(self.folder / f"{service}.db")
            with database.writing() as connection:
                create_all(connection)
            self._databases.append(database)
            actor = service_id(MESH, service)
            operator = self.desk.operator
            self._ledgers[service] = Ledger(
                operator.audit.as_caller(actor),
                governance=operator.governance,
                actor=actor,
                database=database,
                clock=operator.clock,
                random_bytes=secrets.token_bytes,
            )
        return self._ledgers[service]

    def receipt(self, case: Case, *, by: str = "custody", key: str = "custody", **changes: Any) -> Logged:
        """Return custody's logged receipt of a case's dossier."""
        now_ms = self.desk.operator.clock.now_ms()
        members: dict[str, Any] = {
            "mesh": MESH,
            "purpose": "receipt",
            "issued": now_ms,
            "expires": None,
            "checkpoint": None,
            "dossier": "22" * 16,
            "grant": "00" * 32,
            "document": case.identity.digest,
            "authority": case.identity.authority,
            "case_number": case.identity.case_number,
            "mode": "sealed",
            "package": PACKAGE,
            "package_bytes": 1234,
            "identities_root": "00" * 32,
            "identities": 33,
            "messages_root": "00" * 32,
            "messages": 501,
            "unmask_until": now_ms + 90 * DAY_MS,
        }
        receipt = DossierReceipt.model_validate(members | changes)
        envelope = receipt.sign(self.desk.operator.keys[key, key].sign)
        entry = self.ledger(by).append("dossier-closed", envelope.payload, key=secrets.token_hex(8))
        return Logged(envelope, entry.proof)

    def delivery(self, *, by: str = "redaction", dossier: str = "22" * 16) -> tuple[bytes, LoggedEntry]:
        """Return a delivery's log entry."""
        body = strict_json.dump({"delivery": secrets.token_hex(16), "dossier": dossier, "offset": 0})
        return body, self.ledger(by).append("delivered", body, key=secrets.token_hex(8))

    def delivered(self, case: Case) -> Case:
        """Bring a granted case to its delivery."""
        handling = self.desk.warrants.handling
        handling.closed(case.id, self.receipt(case))
        body, entry = self.delivery()
        handling.delivered(case.id, body, entry.proof)
        return self.now(case)

    def acknowledgement(self, package: str = PACKAGE) -> bytes:
        """Return an acknowledgement by the chief investigator's certificate."""
        chief = self.desk.pki.chief
        assert isinstance(chief.key, Ed25519PrivateKey)
        return write_acknowledgement(package, 1, chief.certificate, chief.key.sign)

    def now(self, case: Case) -> Case:
        """Return a case as it stands now."""
        found = self.desk.tables.by_id(case.id)
        assert found is not None
        return found
