"""Custody with real tables, a real ledger and real cryptography, around a fake log and fake warrants."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import hashlib
import io
import secrets
from importlib import resources
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.custody import work
from garim.custody.closing import Closing, Finished
from garim.custody.core import Core
from garim.custody.dossiers import Dossiers
from garim.custody.epochs import Epochs
from garim.custody.journal import Journal
from garim.custody.keeper import Keeper
from garim.custody.ports import Opener
from garim.custody.preservation import PreservationOrders
from garim.custody.recovery import recovery_public
from garim.custody.releases import Records, Releases
from garim.custody.tables.dossiers import Dossier
from garim.custody.tickets import Tickets
from garim.documents.claims import Disclosure, Keeping, document_id, read_claims
from garim.documents.formats import open_document
from garim.documents.media_types import JWS_MEDIA_TYPE
from garim.documents.policy import DAY_MS, load_policy
from garim.documents.scope import period_of, subjects_of
from garim.kit.convert import Logged, Received
from garim.kit.db import Database
from garim.kit.identity import service_id
from garim.kit.ledger import Ledger
from garim.kit.ledger import tables as ledger_tables
from garim.kit.policy_files import KeptPolicies
from garim.kit.providers import KeyProvider
from garim.kit.telemetry import Telemetry
from garim.sealing import hpke, released
from garim.sealing.secret import Secret
from garim.statements import dsse, subjects
from garim.statements.cases import CaseStatus
from garim.statements.dsse import Envelope
from garim.statements.governance import Governance
from garim.statements.grants import DisclosureGrant, Grant, PreservationGrant
from garim.statements.refusal import RefusedError
from garim.statements.scope import Forecast
from garim.testing import documents
from garim.testing.audit import FakeAudit, FakeAuditCaller
from garim.testing.clock import ManualClock
from garim.testing.keys import MemoryKeyProvider
from garim.testing.operator import MESH, ORIGIN, STORE, OperatorGovernance, SampleOperator
from garim.testing.pki import DocumentPki
from garim.testing.records import SampleStore, Stored, StoredEpoch
from garim.translog.leaf import ZERO_SALT, Leaf, commitment, parse_leaf
from garim.translog.tree import EMPTY_ROOT
from kit_support.engines import open_database

NOW = dt.datetime(2026, 11, 22, 6, 0, tzinfo=dt.UTC)
POLICY = resources.files("garim.documents").joinpath("kr.yaml").read_bytes()
SENT_MS = int(NOW.timestamp() * 1000) - 46 * 3_600_000
"""When the sample messages were sent: inside the sample document's period."""

EPOCH_RETENTION_MS = 3 * DAY_MS


@dataclasses.dataclass
class SharingGovernance(OperatorGovernance):
    """Governance whose custodians have share keys."""

    share_keys: dict[str, tuple[Secret, bytes]] = dataclasses.field(default_factory=dict)

    def draft(self, **options: Any) -> bytes:
        """Return the bytes of a version; nobody has signed it yet."""
        for name in self.custodian_keys:
            self.share_keys.setdefault(name, hpke.generate())
        drawn = Governance.from_bytes(super().draft(**options))
        people = tuple(
            one.model_copy(update={"share_key": base64.b64encode(self.share_keys[one.person][1]).decode()})
            for one in drawn.custodians
        )
        return drawn.model_copy(update={"custodians": people}).to_bytes()


class CustodyOperator(SampleOperator):
    """An operator whose clock starts two days before its PKI's time: something can have been stored."""

    def __init__(self, pki: DocumentPki, policy: bytes = POLICY, clock: ManualClock | None = None) -> None:
        super().__init__(pki, policy, clock=clock or ManualClock(SENT_MS))
        log_key = Ed25519PrivateKey.generate()
        self.governance = SharingGovernance(
            MESH,
            log_key,
            ORIGIN,
            self.clock.now_ms(),
            keys=self.keys,
            reviewer_keys=self.reviewer_keys,
            pki=pki,
            policy=hashlib.sha256(policy).hexdigest(),
        )
        self.audit = FakeAudit(MESH, ORIGIN, self.clock, key=log_key)
        genesis = commitment(ZERO_SALT, self.governance.versions[0].document)
        self.audit.add(Leaf("genesis", self.clock.now_ms(), service_id(MESH, "custody"), genesis).encode())


class InPlace:
    """An opener that works in the test's own process."""

    def __init__(self, provider: KeyProvider) -> None:
        self._provider = provider
        self.jobs: list[bytes] = []

    def run(self, job: bytes) -> bytes:
        """Perform a job."""
        self.jobs.append(job)
        return work.perform(job, self._provider)


class FakeWarrants:
    """Signs case status and grants.

    Attributes:
        state: What it says of every case.
        changes: Members of a status that differ.
        refusal: Raised instead of an answer while it is set.
        asked: How often it was asked.
    """

    def __init__(self, operator: SampleOperator, folder: Path) -> None:
        self._operator = operator
        self.key = operator.keys["warrants", "warrants"]
        self.case = secrets.token_hex(16)
        self.state = "granted"
        self.changes: dict[str, object] = {}
        self.refusal: RefusedError | None = None
        self.asked = 0
        self.database = Database(folder / "warrants.db")
        with self.database.writing() as connection:
            ledger_tables.create_all(connection)
        actor = service_id(MESH, "warrants")
        self.audit = FakeAuditCaller(operator.audit, actor)
        self.ledger = Ledger(
            self.audit,
            governance=operator.governance,
            actor=actor,
            database=self.database,
            clock=operator.clock,
            random_bytes=secrets.token_bytes,
        )

    def case_status(self, document: bytes, nonce: bytes) -> Envelope:
        """Return a signed status."""
        self.asked += 1
        if self.refusal is not None:
            raise self.refusal
        now_ms = self._operator.clock.now_ms()
        members: dict[str, object] = {
            "mesh": MESH,
            "purpose": "case-status",
            "issued": now_ms,
            "expires": now_ms + 60_000,
            "checkpoint": None,
            "case": self.case,
            "document": document.hex(),
            "state": self.state,
            "nonce": nonce.hex(),
        }
        return CaseStatus.model_validate({**members, **self.changes}).sign(self.key.sign)

    def log(self, grant: Grant, entry: str, *, key: Ed25519PrivateKey | None = None) -> Logged:
        """Log and sign a grant."""
        envelope = grant.sign((key or self.key).sign)
        logged = self.ledger.append(entry, envelope.payload, key=secrets.token_hex(8))
        return Logged(envelope, logged.proof)


@dataclasses.dataclass
class Request:
    """A first request as it reaches custody."""

    received: Received
    grant: Logged
    forecast: Envelope
    decisions: list[Envelope]


class Vault:
    """Custody with all its use cases.

    Args:
        folder: Where its database lies.
        operator: Around it.
        provider: Its key provider; one in memory if None.
        opener: Opens keys instead of the test's own process.
    """

    def __init__(
        self,
        folder: Path,
        operator: CustodyOperator,
        provider: KeyProvider | None = None,
        opener: Opener | None = None,
    ) -> None:
        self.folder = folder
        self.operator = operator
        self.clock = operator.clock
        self.pki = operator.pki
        self.policy = POLICY
        self.kept_policies = [POLICY]
        self.crls: list[bytes] = list(operator.pki.crls)
        self.provider = provider or MemoryKeyProvider(MESH)
        self.opener = InPlace(self.provider)
        self.hired: Opener = opener or self.opener
        self.warrants = FakeWarrants(operator, folder)
        self.store = SampleStore(MESH, STORE, operator.keys["messages", STORE].sign)
        self.open()

    def open(self) -> None:
        """Start custody on its database."""
        actor = service_id(MESH, "custody")
        self.database = open_database(self.folder / "custody.db", "custody")
        self.audit = FakeAuditCaller(self.operator.audit, actor)
        self.ledger = Ledger(
            self.audit,
            governance=self.operator.governance,
            actor=actor,
            database=self.database,
            clock=self.clock,
            random_bytes=secrets.token_bytes,
        )
        key = self.operator.keys["custody", "custody"]
        public = recovery_public(self.database, self.provider, self.hired, MESH)
        self.telemetry = Telemetry("custody", self.clock, stream=io.StringIO(), strict=True)
        self.core = Core(
            mesh=MESH,
            database=self.database,
            clock=self.clock,
            provider=self.provider,
            opener=self.hired,
            open_document=open_document,
            governance=self.operator.governance,
            log=self.ledger,
            journal=Journal(self.ledger, MESH, self.clock, public, key.sign),
            warrants=self.warrants,
            policies=lambda: load_policy(self.policy),
            kept_policies=KeptPolicies(lambda: list(self.kept_policies)),
            crls=lambda _trust: self.crls,
            sign=key.sign,
            draw=secrets.token_bytes,
        )
        self.epochs = Epochs(self.core)
        self.tickets = Tickets(self.core)
        self.dossiers = Dossiers(self.core)
        self.releases = Releases(self.core)
        self.orders = PreservationOrders(self.core)
        self.closing = Closing(self.core)
        self.keeper = Keeper(self.core, self.telemetry)

    def close(self) -> None:
        """Close the databases."""
        self.database.close()
        self.warrants.database.close()

    def entries(self) -> list[Leaf]:
        """Return all leaves of the log."""
        return [parse_leaf(one) for one in self.operator.audit.leaves]

    def logged(self, kind: str) -> int:
        """Return how many leaves of a type the log has."""
        return sum(one.type == kind for one in self.entries())

    def stored_epoch(self, number: int = 0) -> StoredEpoch:
        """Return the current (0) or the next (1) epoch as the store learns it."""
        epoch = self.epochs.current_and_next()[number]
        with self.epochs.open_index(epoch) as index:
            return StoredEpoch(bytes.fromhex(epoch.id), epoch.public_key, bytes(index.buffer))

    def sample(self, epoch: StoredEpoch, members: tuple[str, ...] = ("subject-1", "bystander-1")) -> Stored:
        """Store one message between a subject and a bystander, now."""
        now_ms = self.clock.now_ms()
        written = self.store.write_secret(epoch, now_ms)
        return self.store.segment(written, self.store.roster(epoch, written, members), now_ms)

    def until_request(self) -> None:
        """Let time pass until the sample document may be served."""
        self.clock.advance(documents.millis(self.pki) - self.clock.now_ms())

    def document(self, members: dict[str, Any]) -> Received:
        """Return a document signed by both roles."""
        return Received(JWS_MEDIA_TYPE, documents.signed(self.pki, members), ())

    def emergency(self, members: dict[str, Any]) -> Received:
        """Return a document signed by the chief investigator alone."""
        return Received(JWS_MEDIA_TYPE, documents.signed_alone(self.pki, members), ())

    def forecast(self, received: Received, **changes: object) -> Envelope:
        """Return the store's forecast for a document."""
        ticket = self.tickets.forecast(received)
        members: dict[str, object] = {
            "mesh": MESH,
            "purpose": "forecast",
            "issued": self.clock.now_ms(),
            "expires": None,
            "checkpoint": None,
            "store": STORE,
            "document": digest_of(received),
            "ticket": hashlib.sha256(ticket.payload).hexdigest(),
            "messages": 100,
            "conversations": 1,
            "bystanders": 10,
            "opaque": 0,
            "conversation_tags": tuple(sorted(self.store.conversations)),
        }
        key = self.operator.keys["messages", STORE]
        return Forecast.model_validate({**members, **changes}).sign(key.sign)

    def disclosure_grant(
        self, received: Received, counted: Envelope, /, **changes: object
    ) -> DisclosureGrant:
        """Return a disclosure grant that says what its document says, but for the changes."""
        claims = claims_of(received)
        assert isinstance(claims, Disclosure)
        members: dict[str, object] = {
            **self._common(received),
            "purpose": "disclosure",
            "expires": claims.expires_ms,
            "subjects": subjects_of(claims),
            "period": period_of(claims),
            "mode": claims.mode,
            "recipient": claims.recipient,
            "acknowledger": claims.acknowledger,
            "unmask_until": self.clock.now_ms() + 90 * DAY_MS,
            "unmask_budget": 10,
            "forecast": hashlib.sha256(counted.payload).hexdigest(),
            "overlaps": (),
        }
        return DisclosureGrant.model_validate({**members, **changes})

    def preservation_grant(self, received: Received, **changes: object) -> PreservationGrant:
        """Return a preservation grant that says what its document says, but for the changes."""
        claims = claims_of(received)
        assert isinstance(claims, Keeping)
        members: dict[str, object] = {
            **self._common(received),
            "purpose": "preservation",
            "expires": claims.until_ms,
            "subjects": subjects_of(claims),
            "period": period_of(claims),
            "until": claims.until_ms,
        }
        return PreservationGrant.model_validate({**members, **changes})

    def _common(self, received: Received) -> dict[str, object]:
        claims = claims_of(received)
        return {
            "mesh": MESH,
            "issued": self.clock.now_ms(),
            "checkpoint": None,
            "grant": secrets.token_hex(16),
            "case": self.warrants.case,
            "document": document_id(claims, digest_of(received)),
            "document_issued": claims.issued_ms,
            "governance": self.operator.governance.current().version,
            "policy": hashlib.sha256(self.operator.policy).hexdigest(),
        }

    def request(
        self,
        *,
        document: dict[str, Any] | None = None,
        forecast: dict[str, object] | None = None,
        grant: dict[str, object] | None = None,
    ) -> Request:
        """Return a whole first request; changes bend its parts."""
        received = self.document(documents.disclosure(self.pki, **(document or {})))
        counted = self.forecast(received, **(forecast or {}))
        given = self.disclosure_grant(received, counted, **(grant or {}))
        return Request(received, self.warrants.log(given, "disclosure-granted"), counted, [])

    def create(self, request: Request) -> Dossier:
        """Have custody make the dossier's key."""
        return self.dossiers.create_key(request.received, request.grant, request.forecast, request.decisions)

    def approvals(self, request: Request, people: tuple[str, ...], **changes: Any) -> list[Envelope]:
        """Return reviewers' approvals of a request."""
        subject = subjects.review(
            digest_of(request.received), request.forecast.payload, hashlib.sha256(POLICY).hexdigest()
        )
        return [
            self.operator.decision(one, "review-approve", **{"subject": subject, **changes}) for one in people
        ]

    def release(self, dossier: Dossier, *stored: Stored, **changes: Any) -> list[Secret]:
        """Release the keys of stored segments to an attempt, and open them."""
        records = records_of(*stored)
        records = dataclasses.replace(records, **changes)
        private, public = hpke.generate()
        dossier_id = bytes.fromhex(dossier.id)
        sealed = self.releases.release(dossier_id, public, records)
        digest = released.request_digest(records.rosters, records.headers)
        count = len(records.rosters) + len(records.headers)
        return released.open_keys(sealed, private, MESH, dossier_id, digest, count)

    def finished(self, **changes: Any) -> Finished:
        """Return what a sealed dossier is closed with."""
        values: dict[str, Any] = {
            "sealed_secret": bytes(1168),
            "package": bytes(32),
            "package_bytes": 1000,
            "identities_root": b"\x01" * 32,
            "identities": 2,
            "messages_root": b"\x02" * 32,
            "messages": 3,
        }
        return Finished(**{**values, **changes})

    def erased(self) -> Finished:
        """Return what an erased dossier is closed with."""
        return self.finished(sealed_secret=b"", identities_root=EMPTY_ROOT, identities=0)


def digest_of(received: Received) -> str:
    """Return SHA-256 of a document's payload."""
    return hashlib.sha256(open_document(received.media_type, received.content).payload).hexdigest()


def claims_of(received: Received) -> Any:
    """Return what a document says."""
    return read_claims(open_document(received.media_type, received.content).payload)


def records_of(*stored: Stored) -> Records:
    """Return the records of stored segments, each write secret and roster once."""
    return Records(
        list({one.write_secret.id: one.write_secret for one in stored}.values()),
        list({one.roster: None for one in stored}),
        [one.header for one in stored],
    )


def resigned(envelope: Envelope, key: Ed25519PrivateKey) -> Envelope:
    """Return the same payload signed by another key."""
    return dsse.sign(envelope.payload_type, envelope.payload, key.sign)
