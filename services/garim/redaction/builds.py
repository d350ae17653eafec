"""Build dossiers: prepare with custody, run attempts, close; every step may be repeated after a crash."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from garim.api.common.v1 import statement_pb2
from garim.api.custody.v1 import custody_pb2
from garim.api.redaction.v1 import redaction_pb2
from garim.api.warrants.v1 import warrants_pb2
from garim.kit.convert import logged_from, proof_from
from garim.kit.db import Database, insert_or_ignore, insert_or_replace
from garim.kit.governance import GovernanceView
from garim.kit.identity import service_id
from garim.kit.ledger import Ledger
from garim.redaction import holds as hold_rows
from garim.redaction.attempt.job import (
    Account,
    Failed,
    Figures,
    Held,
    Job,
    Packed,
    Preserved,
    Progress,
    Restart,
)
from garim.redaction.child import run_attempt
from garim.redaction.peers import RedactionPeers
from garim.redaction.tables import ACKNOWLEDGED, CLOSED, HELD, PACKED, PREPARED, PRESERVED, builds
from garim.statements import dsse
from garim.statements.grants import DisclosureGrant, PreservationGrant
from garim.statements.receipts import EpochClosed
from garim.statements.refusal import Kind, RefusedError

_STAGES = {
    "rosters": redaction_pb2.BUILD_STAGE_ROSTERS,
    "masking": redaction_pb2.BUILD_STAGE_MASKING,
    "scanning": redaction_pb2.BUILD_STAGE_SCANNING,
    "packing": redaction_pb2.BUILD_STAGE_PACKING,
    "preserving": redaction_pb2.BUILD_STAGE_MASKING,
}

Outcome = Packed | Held | Preserved | Restart
Running = Generator[redaction_pb2.BuildDossierResponse, None, Outcome]
"""Yields progress; its value is how the attempt ended."""


@dataclass(frozen=True, slots=True)
class BuildSettings:
    """What builds need of the settings.

    Args:
        settings: The service's settings file, which attempts read too.
        spool: Where packages lie.
        attempts: How often an attempt that a new roster interrupts is started again.
        mesh: Name of the mesh.
    """

    settings: Path
    spool: Path
    attempts: int
    mesh: str


class Builds:
    """Makes dossiers and keeps preservation orders' scopes.

    Args:
        settings: What it needs of the settings.
        database: The service's own.
        peers: Whom it asks.
        ledger: Verifies grants and stores' accounts.
        governance: Names keys.
        holds: Lifted places.
    """

    def __init__(
        self,
        settings: BuildSettings,
        database: Database,
        peers: RedactionPeers,
        ledger: Ledger,
        governance: GovernanceView,
        holds: hold_rows.Holds,
    ) -> None:
        self._settings = settings
        self._database = database
        self._peers = peers
        self._ledger = ledger
        self._governance = governance
        self._holds = holds
        self._running: set[bytes] = set()
        self._lock = threading.Lock()

    def build(self, case_id: bytes) -> Iterator[redaction_pb2.BuildDossierResponse]:
        """Make the dossier of a case, or go on where an earlier build stopped, and yield its progress.

        Raises:
            RefusedError: `CASE_UNKNOWN`, `CASE_STATE`, `BUILD_RUNNING`, `LEAK_FOUND`, `STORE_INCONSISTENT`,
                `ROSTERS_CHANGING`, and the peers' reasons.
        """
        with self._lock:
            if case_id in self._running:
                raise RefusedError("BUILD_RUNNING", "a build of this case is running", kind=Kind.PRECONDITION)
            self._running.add(case_id)
        try:
            yield from self._build(case_id)
        finally:
            with self._lock:
                self._running.discard(case_id)

    def row(self, case_id: bytes) -> Any | None:
        """Return what is kept of a case's build."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(builds).where(builds.c.case_id == case_id)).one_or_none()

    def _build(self, case_id: bytes) -> Iterator[redaction_pb2.BuildDossierResponse]:
        yield redaction_pb2.BuildDossierResponse(stage=redaction_pb2.BUILD_STAGE_PREPARING)
        row = self.row(case_id)
        if row is None or row.state in {PREPARED, HELD}:
            case = self._peers.case(case_id)
            if case.summary.kind in {"preservation", "emergency-preservation"}:
                yield from self._preserve(case_id, case)
                return
            dossier, job = self._prepare(case_id, case)
            yield redaction_pb2.BuildDossierResponse(
                stage=redaction_pb2.BUILD_STAGE_PREPARING, dossier_id=dossier
            )
            outcome = yield from self._attempts(job)
            if isinstance(outcome, Held):
                self._keep(case_id, state=HELD, holds=hold_rows.encode(outcome.holds))
                yield redaction_pb2.BuildDossierResponse(
                    stage=redaction_pb2.BUILD_STAGE_HELD, done=len(outcome.holds), dossier_id=dossier
                )
                return
            if not isinstance(outcome, Packed):
                raise RefusedError("ATTEMPT_DIED", "the attempt made no package", kind=Kind.DATA_LOSS)
            name = Path(job.package).name
            self._keep(case_id, state=PACKED, packed=outcome.to_bytes(), package=name, holds=None)
            row = self.row(case_id)
        if row is not None and row.state == PACKED:
            yield redaction_pb2.BuildDossierResponse(stage=redaction_pb2.BUILD_STAGE_CLOSING)
            self._close(row)
            row = self.row(case_id)
        if row is not None and row.receipt:
            receipt = statement_pb2.LoggedStatement.FromString(row.receipt)
            self._peers.record_closed(case_id, receipt)
        yield self._finished(row)

    def _prepare(self, case_id: bytes, case: warrants_pb2.GetCaseResponse) -> tuple[bytes, Job]:
        grant, payload = self._verified_grant(case, DisclosureGrant, "disclosure-granted")
        self._peers.demand_granted(grant.document.digest)
        key = self._peers.dossier_key(case)
        ticket = self._peers.ticket(case.document, case.grant, preserve=False)
        with self._database.writing() as connection:
            insert_or_ignore(
                connection,
                builds,
                {
                    "case_id": case_id,
                    "document": grant.document.digest,
                    "state": PREPARED,
                    "dossier": key.dossier_id,
                    "package": "",
                    "acknowledger": grant.acknowledger,
                },
            )
        self._clear(key.dossier_id)
        name = f"{key.dossier_id.hex()}-{secrets.token_hex(8)}.age"
        return key.dossier_id, Job(
            settings=str(self._settings.settings),
            purpose="read",
            dossier=key.dossier_id.hex(),
            public_key=base64.b64encode(key.public_key).decode(),
            grant=_sha256(payload),
            ticket=base64.b64encode(dsse.to_bytes(ticket)).decode(),
            governance=base64.b64encode(self._governance.current().to_bytes()).decode(),
            subjects=grant.subjects,
            period=grant.period,
            mode=grant.mode,
            masking=grant.masking,
            recipient=grant.recipient,
            authority=grant.document.authority,
            case_number=grant.document.case_number,
            number=grant.document.number,
            package=str(self._settings.spool / name),
            lifted=tuple(self._holds.lifted(case_id)),
        )

    def _attempts(self, job: Job) -> Running:
        for _ in range(self._settings.attempts):
            outcome = yield from self._attempt(job)
            if not isinstance(outcome, Restart):
                return outcome
            Path(job.package).unlink(missing_ok=True)
        raise RefusedError(
            "ROSTERS_CHANGING", "rosters kept changing while reading: build again", kind=Kind.UNAVAILABLE
        )

    def _attempt(self, job: Job) -> Running:
        finished = False
        try:
            for event in run_attempt(job):
                if isinstance(event, Progress):
                    yield redaction_pb2.BuildDossierResponse(stage=_STAGES[event.stage], done=event.done)
                elif isinstance(event, Account):
                    self._check_account(event)
                elif isinstance(event, Failed):
                    raise RefusedError(event.reason, event.message, kind=Kind(event.kind), field=event.field)
                else:
                    finished = isinstance(event, Packed)
                    return event
            raise RefusedError("ATTEMPT_DIED", "the attempt did not say how it went", kind=Kind.UNAVAILABLE)
        finally:
            if not finished:
                Path(job.package).unlink(missing_ok=True)

    def _check_account(self, event: Account) -> None:
        body = base64.b64decode(event.body)
        proof = proof_from(statement_pb2.LogProof.FromString(base64.b64decode(event.proof)))
        EpochClosed.from_bytes(body)
        actor = service_id(self._settings.mesh, "messages")
        self._ledger.verify(body, proof, kind="epoch-closed", actor=actor)

    def _verified_grant(self, case: Any, model: Any, kind: str) -> tuple[Any, bytes]:
        if case.summary.state != warrants_pb2.CASE_STATE_GRANTED or not case.HasField("grant"):
            raise RefusedError("CASE_STATE", "the case is not granted", kind=Kind.PRECONDITION)
        logged = logged_from(case.grant, field="grant")
        keys = self._governance.current().keys_of("warrants")
        grant = model.verify(logged.statement, keys, mesh=self._settings.mesh, now=None)
        actor = service_id(self._settings.mesh, "warrants")
        self._ledger.verify(logged.statement.payload, logged.proof, kind=kind, actor=actor)
        return grant, logged.statement.payload

    def _close(self, row: Any) -> None:
        packed = Packed.from_bytes(row.packed)
        response = self._peers.custody.CloseDossier(
            custody_pb2.CloseDossierRequest(
                dossier_id=row.dossier,
                sealed_secret=base64.b64decode(packed.sealed_secret),
                package_digest=bytes.fromhex(packed.package),
                package_bytes=packed.figures.package_bytes,
                identities_root=bytes.fromhex(packed.identities_root),
                identities=packed.identities,
                messages_root=bytes.fromhex(packed.messages_root),
                messages=packed.figures.messages,
            )
        )
        self._keep(row.case_id, state=CLOSED, receipt=response.receipt.SerializeToString())

    def _preserve(
        self, case_id: bytes, case: warrants_pb2.GetCaseResponse
    ) -> Iterator[redaction_pb2.BuildDossierResponse]:
        grant, payload = self._verified_grant(case, PreservationGrant, "preservation-granted")
        self._peers.demand_granted(grant.document.digest)
        ticket = self._peers.ticket(case.document, case.grant, preserve=True)
        job = Job(
            settings=str(self._settings.settings),
            purpose="preserve",
            dossier=grant.grant,
            public_key="",
            grant=_sha256(payload),
            ticket=base64.b64encode(dsse.to_bytes(ticket)).decode(),
            governance=base64.b64encode(self._governance.current().to_bytes()).decode(),
            subjects=grant.subjects,
            period=grant.period,
            mode="erased",
            recipient="",
            authority=grant.document.authority,
            case_number=grant.document.case_number,
            number=grant.document.number,
            package=str(self._settings.spool / f"{grant.grant}.none"),
            lifted=(),
            document=base64.b64encode(case.document.content).decode(),
            media_type=case.document.media_type,
            logged_grant=base64.b64encode(case.grant.SerializeToString()).decode(),
        )
        outcome = yield from self._attempts(job)
        if not isinstance(outcome, Preserved):
            raise RefusedError("ATTEMPT_DIED", "the scope was not preserved", kind=Kind.DATA_LOSS)
        with self._database.writing() as connection:
            insert_or_replace(
                connection,
                builds,
                {
                    "case_id": case_id,
                    "document": grant.document.digest,
                    "state": PRESERVED,
                    "dossier": bytes.fromhex(grant.grant),
                    "package": "",
                    "acknowledger": "",
                },
            )
        self._peers.record_preserved(case_id)
        yield redaction_pb2.BuildDossierResponse(
            stage=redaction_pb2.BUILD_STAGE_CLOSED, done=outcome.segments, total=outcome.segments
        )

    def _finished(self, row: Any) -> redaction_pb2.BuildDossierResponse:
        if row is None or row.state not in {CLOSED, ACKNOWLEDGED, PRESERVED}:
            raise RefusedError("ATTEMPT_DIED", "the build did not finish: build again", kind=Kind.UNAVAILABLE)
        figures = Packed.from_bytes(row.packed).figures if row.packed else None
        return redaction_pb2.BuildDossierResponse(
            stage=redaction_pb2.BUILD_STAGE_CLOSED,
            dossier_id=row.dossier,
            figures=_figures(figures) if figures else None,
        )

    def _keep(self, case_id: bytes, **values: Any) -> None:
        with self._database.writing() as connection:
            connection.execute(sa.update(builds).where(builds.c.case_id == case_id).values(**values))

    def _clear(self, dossier: bytes) -> None:
        """Delete what an earlier attempt at the same dossier left behind."""
        for path in self._settings.spool.glob(f"{dossier.hex()}-*.age"):
            path.unlink()


def _figures(figures: Figures) -> redaction_pb2.DossierFigures:
    return redaction_pb2.DossierFigures(
        messages=figures.messages,
        conversations=figures.conversations,
        subjects=figures.subjects,
        bystanders=figures.bystanders,
        pseudonyms=figures.pseudonyms,
        opaque=figures.opaque,
        package_bytes=figures.package_bytes,
    )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
