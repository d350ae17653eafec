"""How far a granted case has come: what redaction records, each step verified here.

Redaction's word alone moves nothing that a duty depends on: a closed dossier is custody's logged receipt, a
delivery is an entry in the log, an acknowledgement is the recipient's signature. Only that a scope is
preserved is redaction's own statement; nothing opens with it.
"""

from __future__ import annotations

import dataclasses

from garim.documents.acknowledgement import verify_acknowledgement
from garim.documents.claims import Disclosure
from garim.kit.convert import Logged
from garim.kit.identity import service_id
from garim.statements import strict_json
from garim.statements.receipts import DossierReceipt
from garim.statements.refusal import Kind, RefusedError
from garim.translog.proven import LogProof
from garim.warrants.cases import NOTHING_TO_CHANGE, Case, Change, Delivery
from garim.warrants.machine import Cause, State
from garim.warrants.means import Means
from garim.warrants.ports import View

REDACTION = "service/redaction"


class Handling:
    """Takes in what redaction records.

    Args:
        means: What the service works with.
    """

    def __init__(self, means: Means) -> None:
        self._means = means

    def closed(self, case_id: bytes, receipt: Logged) -> None:
        """Record that a case's dossier is closed.

        Args:
            case_id: Which case.
            receipt: Custody's logged receipt.

        Raises:
            RefusedError: `CASE_UNKNOWN`, `STEP_OTHER`, `CASE_TRANSITION`, `STATEMENT_*`, `LOG_*`.
        """
        keys = self._means.governance.current().keys_of("custody")
        stated = DossierReceipt.verify(receipt.statement, keys, mesh=self._means.mesh, now=None)
        actor = service_id(self._means.mesh, "custody")
        self._means.log.verify(receipt.statement.payload, receipt.proof, kind="dossier-closed", actor=actor)

        def step(view: View) -> Change:
            known = view.case.delivery
            if stated.document != view.case.identity.digest:
                raise _other("the receipt is of another document")
            if known is None:
                return Change(cause=Cause.DOSSIER_CLOSED, who=REDACTION, delivery=Delivery(receipt))
            if known.receipt.statement.payload != receipt.statement.payload:
                raise _other("the case has another receipt")
            return NOTHING_TO_CHANGE

        self._means.store.settle(case_id, step)

    def delivered(self, case_id: bytes, body: bytes, proof: LogProof) -> None:
        """Record that a package is about to be handed out; the first time starts the duties that follow.

        Args:
            case_id: Which case.
            body: The body of redaction's log entry.
            proof: That it is logged.

        Raises:
            RefusedError: `CASE_UNKNOWN`, `STEP_MISSING`, `STEP_OTHER`, `CASE_STATE`, `CASE_TRANSITION`,
                `JSON_*`, `LOG_*`.
        """
        leaf = self._means.log.verify(
            body, proof, kind="delivered", actor=service_id(self._means.mesh, "redaction")
        )
        dossier = strict_json.parse_object(body).get("dossier")

        def step(view: View) -> Change:
            known = _closed(view.case)
            if dossier != known.stated.dossier:
                raise _other("the log entry is of another dossier")
            if view.case.state is State.CANCELLED:
                raise RefusedError("CASE_STATE", "the case is cancelled", kind=Kind.PRECONDITION)
            if known.delivered_ms is not None:
                return NOTHING_TO_CHANGE
            now = dataclasses.replace(known, delivered_ms=leaf.time_ms, delivered_index=proof.index)
            return Change(cause=Cause.DELIVERED, who=REDACTION, delivery=now)

        self._means.store.settle(case_id, step)

    def acknowledged(self, case_id: bytes, acknowledgement: bytes) -> None:
        """Record that the recipient has the package; again, or of a case cancelled since, moves nothing.

        Args:
            case_id: Which case.
            acknowledgement: Signed by the certificate that the document names.

        Raises:
            RefusedError: `CASE_UNKNOWN`, `STEP_MISSING`, `CASE_STATE`, `CASE_TRANSITION`,
                `ACKNOWLEDGEMENT_*`, `JSON_*`.
        """
        case = self._means.store.by_id(case_id)
        if case is None:
            raise RefusedError("CASE_UNKNOWN", "there is no such case", kind=Kind.NOT_FOUND)
        claims = case.claims
        if not isinstance(claims, Disclosure):
            raise RefusedError("CASE_STATE", "only a dossier is acknowledged", kind=Kind.PRECONDITION)
        package = _closed(case).stated.package
        verify_acknowledgement(acknowledgement, signer=claims.acknowledger, package=package)

        def step(view: View) -> Change:
            known = _closed(view.case)
            if known.acknowledged_ms is not None:
                return NOTHING_TO_CHANGE
            now = dataclasses.replace(known, acknowledged_ms=self._means.clock.now_ms())
            if view.case.state is State.CANCELLED:
                return Change(delivery=now)
            return Change(cause=Cause.ACKNOWLEDGED, who=REDACTION, delivery=now)

        self._means.store.settle(case_id, step)

    def preserved(self, case_id: bytes) -> None:
        """Record that the scope of a preservation order is kept; again changes nothing.

        Raises:
            RefusedError: `CASE_UNKNOWN`, `CASE_TRANSITION`.
        """

        def step(view: View) -> Change:
            if view.case.state is State.PRESERVED:
                return NOTHING_TO_CHANGE
            return Change(cause=Cause.SCOPE_PRESERVED, who=REDACTION)

        self._means.store.settle(case_id, step)


def _closed(case: Case) -> Delivery:
    if case.delivery is None:
        raise RefusedError(
            "STEP_MISSING", "record first that the dossier is closed", kind=Kind.PRECONDITION, field="step"
        )
    return case.delivery


def _other(message: str) -> RefusedError:
    return RefusedError("STEP_OTHER", message, kind=Kind.PRECONDITION, field="step")
