"""The redaction service's own half around scripted attempts, with warrants, custody and the log as fakes."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from garim.api.common.v1 import statement_pb2
from garim.api.custody.v1 import custody_pb2
from garim.api.redaction.v1 import redaction_pb2
from garim.api.warrants.v1 import warrants_pb2
from garim.kit.convert import envelope_to, logged_to, proof_to
from garim.kit.db import Database
from garim.kit.identity import service_id
from garim.kit.ledger import Ledger, tables
from garim.redaction import builds as builds_module
from garim.redaction.attempt.job import Account, Event, Failed, Figures, Hold, Job, Packed, Place
from garim.redaction.builds import Builds, BuildSettings
from garim.redaction.delivery import Delivery
from garim.redaction.holds import Holds
from garim.redaction.peers import RedactionPeers
from garim.statements.cases import CaseStatus
from garim.statements.grants import DisclosureGrant, PreservationGrant
from garim.statements.receipts import EpochClosed
from garim.statements.refusal import RefusedError
from garim.testing.operator import MESH, STORE, SampleOperator
from garim.testing.pki import make_pki
from kit_support.engines import open_database

CASE = b"\x0c" * 16
DOSSIER = b"\x0d" * 16
DOCUMENT = "dd" * 32
NOW = dt.datetime(2026, 9, 21, 9, tzinfo=dt.UTC)
PACKAGE = b"encrypted to the recipient" * 20_000
STAGE = redaction_pb2.BuildStage.Name
Script = Callable[[Job], Iterator[Event]]


def reason(call: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as refused:
        call()
    return refused.value.reason


def stages(office: Office) -> list[str]:
    return [STAGE(one.stage).removeprefix("BUILD_STAGE_") for one in office.build()]


def packed(data: bytes = PACKAGE) -> Packed:
    return Packed(
        sealed_secret=base64.b64encode(b"sealed").decode(),
        package=hashlib.sha256(data).hexdigest(),
        identities_root="aa" * 32,
        identities=2,
        messages_root="bb" * 32,
        figures=Figures(
            messages=3,
            conversations=1,
            subjects=1,
            bystanders=2,
            pseudonyms=2,
            opaque=0,
            package_bytes=len(data),
        ),
    )


def hold(start: int = 5) -> Hold:
    return Hold(
        place=Place(segment="0e" * 16, message=2, start=start, end=start + 2), reason="ambiguous-person"
    )


def packs(job: Job) -> Iterator[Event]:
    """Script of an attempt that makes a package."""
    Path(job.package).write_bytes(PACKAGE)
    yield packed()


def fails(job: Job) -> Iterator[Event]:
    """Script of an attempt that is refused after it began to write."""
    Path(job.package).write_bytes(PACKAGE[:100])
    yield Failed(reason="LEAK_FOUND", message="nothing left", kind="data-loss", field="")


class Office:
    """Redaction's builds, holds and delivery.

    Attributes:
        state: What warrants says of the case, now.
        jobs: Every attempt's job so far.
        scripts: What the next attempts do.
        closed: Every request to close the dossier.
        steps: What warrants was told of the case.
        recording: Raised where it is told anything.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.operator = SampleOperator(make_pki(NOW), b"policy")
        self.folder = folder
        self.spool = folder / "spool"
        self.spool.mkdir()
        self.state = "granted"
        self.summary_state = warrants_pb2.CASE_STATE_GRANTED
        self.freeze: str | None = None
        self.frozen: Exception | None = None
        self.nonce: str | None = None
        self.status_document: str | None = None
        self.status_key = self.operator.keys["warrants", "warrants"]
        self.jobs: list[Job] = []
        self.scripts: list[Script] = [packs]
        self.closed: list[custody_pb2.CloseDossierRequest] = []
        self.closing: Exception | None = None
        self.steps: list[warrants_pb2.RecordStepRequest] = []
        self.recording: Exception | None = None
        self.kind = "disclosure"
        self.acknowledger = "00" * 32
        self.warrants_ledger = self._ledger("warrants")
        self.messages_ledger = self._ledger("messages")
        self.database = open_database(folder / "redaction.db", "redaction")
        self.ledger = self._ledger("redaction", self.database)
        monkeypatch.setattr(builds_module, "run_attempt", self._run)
        self.grant = self.granted()
        self.start()

    def start(self) -> None:
        """Wire anew, as a restarted process would."""
        peers = RedactionPeers(
            cast("Any", self), cast("Any", self), self.operator.governance, MESH, self.operator.clock
        )
        self.holds = Holds(
            self.database,
            self.ledger,
            self.operator.governance,
            peers.freeze_in_force,
            MESH,
            self.operator.clock,
        )
        settings = BuildSettings(self.folder / "redaction.toml", self.spool, 2, MESH)
        self.builds = Builds(
            settings, self.database, peers, self.ledger, self.operator.governance, self.holds
        )
        self.delivery = Delivery(
            self.builds, self.database, peers, self.ledger, self.spool, secrets.token_bytes
        )

    def build(self) -> list[redaction_pb2.BuildDossierResponse]:
        return list(self.builds.build(CASE))

    def files(self) -> list[str]:
        return sorted(one.name for one in self.spool.iterdir())

    def logged_types(self) -> list[str]:
        return [json.loads(leaf)["type"] for leaf in self.operator.audit.leaves]

    def granted(
        self, entry: str | None = None, key: Any = None, **change: Any
    ) -> statement_pb2.LoggedStatement:
        """Return a logged grant of the case."""
        common: dict[str, Any] = {
            "mesh": MESH,
            "issued": self.operator.clock.now_ms(),
            "expires": None,
            "checkpoint": None,
            "grant": "0f" * 16,
            "case": CASE.hex(),
            "document": {"authority": "가온", "number": "1", "case_number": "2", "digest": DOCUMENT},
            "document_issued": 1,
            "governance": 1,
            "policy": "00" * 32,
            "subjects": [{"kind": "account", "value": "acct-00001"}],
            "period": {"start": 1, "end": 2},
        }
        statement: Any
        if self.kind == "preservation":
            fields = common | {"purpose": "preservation", "until": 9} | change
            statement = PreservationGrant.from_json(fields)
        else:
            fields = common | {
                "purpose": "disclosure",
                "mode": "sealed",
                "recipient": "age1x",
                "acknowledger": self.acknowledger,
                "unmask_until": 9,
                "unmask_budget": 1,
                "forecast": "00" * 32,
                "overlaps": [],
            }
            statement = DisclosureGrant.from_json(fields | change)
        envelope = statement.sign((key or self.operator.keys["warrants", "warrants"]).sign)
        kind = entry or f"{self.kind}-granted"
        proof = self.warrants_ledger.append(kind, envelope.payload, key=secrets.token_hex(8)).proof
        return logged_to(envelope, proof)

    def account(self, *, logged: bytes | None = None) -> Account:
        """Return a store's logged account of an epoch."""
        body = EpochClosed.from_json(
            {
                "mesh": MESH,
                "purpose": "epoch-closed",
                "issued": 1,
                "expires": None,
                "checkpoint": None,
                "store": STORE,
                "epoch": secrets.token_hex(16),
                "head": None,
                "write_secrets": 0,
                "segments": 0,
                "conversations": 0,
                "conversations_root": "00" * 32,
            }
        ).to_bytes()
        entry = self.messages_ledger.append("epoch-closed", logged or body, key=secrets.token_hex(8))
        proof = base64.b64encode(proof_to(entry.proof).SerializeToString()).decode()
        return Account(body=base64.b64encode(body).decode(), proof=proof)

    def RecordStep(self, request: warrants_pb2.RecordStepRequest) -> warrants_pb2.RecordStepResponse:  # noqa: N802 - the RPC's name
        if self.recording is not None:
            raise self.recording
        self.steps.append(request)
        return warrants_pb2.RecordStepResponse()

    def GetCase(self, request: warrants_pb2.GetCaseRequest) -> warrants_pb2.GetCaseResponse:  # noqa: N802 - the RPC's name
        return warrants_pb2.GetCaseResponse(
            summary=warrants_pb2.CaseSummary(
                case_id=request.case_id, kind=self.kind, state=self.summary_state
            ),
            document=statement_pb2.Document(media_type="application/jose", content=b"document"),
            grant=self.grant,
        )

    def GetCaseStatus(  # noqa: N802 - the RPC's name
        self, request: warrants_pb2.GetCaseStatusRequest
    ) -> warrants_pb2.GetCaseStatusResponse:
        now = self.operator.clock.now_ms()
        status = CaseStatus.from_json(
            {
                "mesh": MESH,
                "purpose": "case-status",
                "issued": now,
                "expires": now + 60_000,
                "checkpoint": None,
                "case": CASE.hex(),
                "document": self.status_document or request.document_digest.hex(),
                "state": self.state,
                "nonce": self.nonce or request.nonce.hex(),
            }
        )
        return warrants_pb2.GetCaseStatusResponse(status=envelope_to(status.sign(self.status_key.sign)))

    def GetCustodyStatus(  # noqa: N802 - the RPC's name
        self, _request: custody_pb2.GetCustodyStatusRequest
    ) -> custody_pb2.GetCustodyStatusResponse:
        if self.frozen is not None:
            raise self.frozen
        return custody_pb2.GetCustodyStatusResponse(freeze_id=bytes.fromhex(self.freeze or ""))

    def CreateDossierKey(  # noqa: N802 - the RPC's name
        self, _request: custody_pb2.CreateDossierKeyRequest
    ) -> custody_pb2.CreateDossierKeyResponse:
        return custody_pb2.CreateDossierKeyResponse(dossier_id=DOSSIER, public_key=b"public")

    def SignScopeTicket(  # noqa: N802 - the RPC's name
        self, _request: custody_pb2.SignScopeTicketRequest
    ) -> custody_pb2.SignScopeTicketResponse:
        return custody_pb2.SignScopeTicketResponse(ticket=self.grant.statement)

    def CloseDossier(  # noqa: N802 - the RPC's name
        self, request: custody_pb2.CloseDossierRequest
    ) -> custody_pb2.CloseDossierResponse:
        if self.closing is not None:
            raise self.closing
        self.closed.append(request)
        return custody_pb2.CloseDossierResponse(receipt=self.grant)

    def close(self) -> None:
        for database in (self.database, *self._others):
            database.close()

    @property
    def _others(self) -> list[Database]:
        return self.__dict__.setdefault("_opened", [])

    def _run(self, job: Job) -> Iterator[Event]:
        self.jobs.append(job)
        return (self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0])(job)

    def _ledger(self, service: str, database: Database | None = None) -> Ledger:
        if database is None:
            database = Database(self.folder / f"{service}.db")
            with database.writing() as connection:
                tables.create_all(connection)
            self._others.append(database)
        actor = service_id(MESH, service)
        return Ledger(
            self.operator.audit.as_caller(actor),
            governance=self.operator.governance,
            actor=actor,
            database=database,
            clock=self.operator.clock,
            random_bytes=os.urandom,
        )
