"""Whom redaction calls: warrants for cases, custody for keys and receipts."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from garim.api.common.v1 import statement_pb2
from garim.api.custody.v1 import custody_pb2, custody_pb2_grpc
from garim.api.warrants.v1 import warrants_pb2, warrants_pb2_grpc
from garim.kit.clock import Clock
from garim.kit.convert import envelope_from, proof_to
from garim.kit.governance import GovernanceView
from garim.statements import dsse
from garim.statements.cases import CaseStatus
from garim.statements.refusal import Kind, RefusedError
from garim.translog.proven import LogProof


@dataclass(frozen=True, slots=True)
class RedactionPeers:
    """The services that redaction asks.

    Args:
        warrants: Knows the cases.
        custody: Makes dossier keys and receipts.
        governance: Names their keys.
        mesh: Name of the mesh.
        clock: Judges how old a status is.
    """

    warrants: warrants_pb2_grpc.WarrantsServiceStub
    custody: custody_pb2_grpc.CustodyServiceStub
    governance: GovernanceView
    mesh: str
    clock: Clock

    def case(self, case_id: bytes) -> warrants_pb2.GetCaseResponse:
        """Return a case with its document, decisions and grant.

        Raises:
            RefusedError: `CASE_UNKNOWN`.
        """
        return self.warrants.GetCase(warrants_pb2.GetCaseRequest(case_id=case_id))

    def demand_granted(self, document: str) -> None:
        """Ask for the case's status now, and refuse unless it is granted.

        Args:
            document: SHA-256 of the document's payload, hexadecimal.

        Raises:
            RefusedError: `CASE_STATE`, or why the answer does not count.
        """
        nonce = secrets.token_bytes(32)
        response = self.warrants.GetCaseStatus(
            warrants_pb2.GetCaseStatusRequest(document_digest=bytes.fromhex(document), nonce=nonce)
        )
        status = CaseStatus.verify(
            envelope_from(response.status),
            self.governance.current().keys_of("warrants"),
            mesh=self.mesh,
            now=self.clock.now_ms(),
        )
        if not hmac.compare_digest(status.nonce, nonce.hex()) or status.document != document:
            raise RefusedError("NONCE", "the status answers another question", kind=Kind.FORBIDDEN)
        if status.state != "granted":
            raise RefusedError("CASE_STATE", f"the case is {status.state}", kind=Kind.PRECONDITION)

    def record_closed(self, case_id: bytes, receipt: statement_pb2.LoggedStatement) -> None:
        """Tell warrants that the dossier is closed; again changes nothing."""
        self.warrants.RecordStep(warrants_pb2.RecordStepRequest(case_id=case_id, closed=receipt))

    def record_delivered(self, case_id: bytes, body: bytes, proof: LogProof) -> None:
        """Tell warrants that a delivery begins, by its log entry; again changes nothing."""
        logged = statement_pb2.LoggedBody(body=body, proof=proof_to(proof))
        self.warrants.RecordStep(warrants_pb2.RecordStepRequest(case_id=case_id, delivered=logged))

    def record_acknowledged(self, case_id: bytes, acknowledgement: bytes) -> None:
        """Hand the recipient's acknowledgement on to warrants; again changes nothing."""
        self.warrants.RecordStep(
            warrants_pb2.RecordStepRequest(case_id=case_id, acknowledged=acknowledgement)
        )

    def record_preserved(self, case_id: bytes) -> None:
        """Tell warrants that an order's scope is preserved; again changes nothing."""
        self.warrants.RecordStep(warrants_pb2.RecordStepRequest(case_id=case_id, preserved=True))

    def freeze_in_force(self) -> str | None:
        """Ask custody for the id of the freeze in force; None where there is none.

        Raises:
            RefusedError: Custody does not answer.
        """
        status = self.custody.GetCustodyStatus(custody_pb2.GetCustodyStatusRequest())
        return status.freeze_id.hex() or None

    def dossier_key(self, case: warrants_pb2.GetCaseResponse) -> custody_pb2.CreateDossierKeyResponse:
        """Have custody make the dossier's key, or return the one it made."""
        return self.custody.CreateDossierKey(
            custody_pb2.CreateDossierKeyRequest(
                document=case.document, grant=case.grant, forecast=case.forecast, decisions=case.decisions
            )
        )

    def ticket(
        self, document: statement_pb2.Document, grant: statement_pb2.LoggedStatement, *, preserve: bool
    ) -> dsse.Envelope:
        """Return custody's scope ticket for reading or for preserving."""
        purpose = custody_pb2.TICKET_PURPOSE_PRESERVE if preserve else custody_pb2.TICKET_PURPOSE_READ
        response = self.custody.SignScopeTicket(
            custody_pb2.SignScopeTicketRequest(document=document, purpose=purpose, grant=grant)
        )
        return envelope_from(response.ticket)
