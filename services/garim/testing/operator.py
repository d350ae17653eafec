"""A small operator for tests of one service: governance with every key, a log that has begun, fake peers.

Custody and messages sign what the real ones would; each can be told to refuse, to be away, or to say
something else. Whoever tests warrants, redaction or a client wires against these.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import secrets
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.documents import formats
from garim.kit.convert import Logged, Received
from garim.kit.identity import service_id
from garim.statements.decisions import Action, Decision
from garim.statements.dsse import Envelope
from garim.statements.governance import Governance, Reviewer, ServiceKey
from garim.statements.grants import Period
from garim.statements.model import CheckpointSeen
from garim.statements.refusal import Kind, RefusedError
from garim.statements.scope import EpochTags, Forecast, ScopeTicket
from garim.testing import documents
from garim.testing.audit import FakeAudit
from garim.testing.clock import ManualClock
from garim.testing.governance import DAY_MS, HOUR_MS, SampleGovernance
from garim.testing.pki import MAX_CRL_AGE_MS, DocumentPki
from garim.translog.leaf import ZERO_SALT, Leaf, commitment

MESH = "test.mesh"
ORIGIN = "log.test.mesh/garim"
STORE = "store-1"
REVIEWERS = ("ra-on", "sol-bi", "yeo-reum")
MINUTE_MS = 60_000


def raw_public(key: Ed25519PrivateKey) -> str:
    """Return a public key as governance writes it."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


@dataclasses.dataclass
class OperatorGovernance(SampleGovernance):
    """A governance view with services, reviewers, anchors and a policy.

    Args:
        keys: Statement keys by (service, instance).
        reviewer_keys: Decision keys of the review committee.
        pki: Who signs documents.
        policy: SHA-256 of the policy file.
        review_quorum: How many reviewers decide.
    """

    keys: dict[tuple[str, str], Ed25519PrivateKey] = dataclasses.field(default_factory=dict)
    reviewer_keys: dict[str, Ed25519PrivateKey] = dataclasses.field(default_factory=dict)
    pki: DocumentPki | None = None
    policy: str = "00" * 32
    review_quorum: int = 2

    def draft(
        self,
        *,
        version: int,
        previous: str | None,
        log_key: Ed25519PrivateKey | None = None,
        origin: str | None = None,
        old_pins: tuple[CheckpointSeen, ...] = (),
    ) -> bytes:
        """Return the bytes of a version; nobody has signed it yet."""
        plain = super().draft(
            version=version, previous=previous, log_key=log_key, origin=origin, old_pins=old_pins
        )
        drawn = Governance.from_bytes(plain)
        return drawn.model_copy(
            update={
                "audience": documents.AUDIENCE,
                "reviewers": tuple(
                    Reviewer(person=person, decision_key=raw_public(key))
                    for person, key in sorted(self.reviewer_keys.items())
                ),
                "review_quorum": self.review_quorum,
                "services": tuple(
                    ServiceKey.from_json({"service": service, "instance": instance, "key": raw_public(key)})
                    for (service, instance), key in sorted(self.keys.items())
                ),
                "anchors": self.pki.anchors if self.pki else (),
                "policy": self.policy,
                "terms": drawn.terms.model_copy(update={"max_crl_age": MAX_CRL_AGE_MS}),
            }
        ).to_bytes()

    def advance(self) -> Governance:
        """Put the next version in force, drawn up from this object as it stands now."""
        draft = self.draft(version=self.chain.height + 1, previous=self.digest_in_force())
        version = self.signed(draft, in_force=self.chain.height)
        self.versions.append(version)
        return self.chain.take(version, logged=False)

    def digest_in_force(self) -> str:
        """Return the SHA-256 of the version in force."""
        return hashlib.sha256(self.versions[-1].document).hexdigest()


class SampleOperator:
    """Governance, log and clock of one operator.

    Args:
        pki: Who signs documents; its time is the operator's.
        policy: Bytes of the policy file.
        quorum: How many reviewers decide.
        clock: The operator's time; one that stands at the PKI's time if None.
    """

    def __init__(
        self, pki: DocumentPki, policy: bytes, quorum: int = 2, clock: ManualClock | None = None
    ) -> None:
        self.pki = pki
        self.policy = policy
        self.clock = clock or ManualClock(documents.millis(pki))
        self.keys = {
            ("messages", STORE): Ed25519PrivateKey.generate(),
            ("warrants", "warrants"): Ed25519PrivateKey.generate(),
            ("custody", "custody"): Ed25519PrivateKey.generate(),
        }
        self.reviewer_keys = {person: Ed25519PrivateKey.generate() for person in REVIEWERS}
        log_key = Ed25519PrivateKey.generate()
        self.governance = OperatorGovernance(
            MESH,
            log_key,
            ORIGIN,
            self.clock.now_ms(),
            keys=self.keys,
            reviewer_keys=self.reviewer_keys,
            pki=pki,
            policy=hashlib.sha256(policy).hexdigest(),
            review_quorum=quorum,
        )
        self.audit = FakeAudit(MESH, ORIGIN, self.clock, key=log_key)
        genesis = commitment(ZERO_SALT, self.governance.versions[0].document)
        leaf = Leaf("genesis", self.clock.now_ms(), service_id(MESH, "custody"), genesis)
        self.audit.add(leaf.encode())

    def decision(
        self,
        person: str,
        action: Action,
        subject: str,
        *,
        reason: str = "TEST 사유",
        key: Ed25519PrivateKey | None = None,
        **changes: object,
    ) -> Envelope:
        """Return a reviewer's signed decision.

        Args:
            person: Who decides.
            action: What.
            subject: Digest of the thing.
            reason: Why.
            key: Signs instead of the person's own key.
            changes: Members that differ.
        """
        now_ms = self.clock.now_ms()
        members: dict[str, object] = {
            "mesh": MESH,
            "purpose": "decision",
            "issued": now_ms,
            "expires": now_ms + HOUR_MS,
            "checkpoint": None,
            "action": action,
            "subject": subject,
            "reason": reason,
            "person": person,
            "governance": self.governance.current().version,
            "freeze": None,
        }
        decision = Decision.model_validate({**members, **changes})
        return decision.sign((key or self.reviewer_keys[person]).sign)


class FakeCustody:
    """The calls to custody that warrants makes.

    Args:
        operator: Whose custody it is.

    Attributes:
        refusal: Raised by every call while it is set.
        destroyed_epochs: How many epochs of a period it says are destroyed.
        ticket_changes: Members of a ticket that differ.
        tickets: Documents that tickets were asked for.
        requests: Unmask requests by document content, with the grant they rest on.
        revocations: Contents of the revocations it was handed.
        on_request: Called before an unmask request is opened.
    """

    def __init__(self, operator: SampleOperator) -> None:
        self._operator = operator
        self.refusal: RefusedError | None = None
        self.destroyed_epochs = 0
        self.ticket_changes: dict[str, object] = {}
        self.tickets: list[Received] = []
        self.requests: dict[bytes, tuple[bytes, Logged]] = {}
        self.revocations: list[bytes] = []
        self.on_request: Callable[[], None] = lambda: None

    def forecast_ticket(self, document: Received) -> Envelope:
        """Return a signed scope ticket for a forecast; the tags in it are nobody's."""
        self._demand_answering()
        self.tickets.append(document)
        now_ms = self._operator.clock.now_ms()
        payload = formats.open_document(document.media_type, document.content).payload
        members: dict[str, object] = {
            "mesh": MESH,
            "purpose": "forecast",
            "issued": now_ms,
            "expires": now_ms + MINUTE_MS,
            "checkpoint": None,
            "ticket": secrets.token_hex(16),
            "document": hashlib.sha256(payload).hexdigest(),
            "grant": None,
            "period": Period(start=now_ms - 2 * DAY_MS, end=now_ms - DAY_MS),
            "received_until": now_ms - HOUR_MS,
            "until": None,
            "epochs": (EpochTags(epoch="ab" * 16, tags=("cd" * 32,)),),
            "destroyed_epochs": self.destroyed_epochs,
        }
        ticket = ScopeTicket.model_validate({**members, **self.ticket_changes})
        return ticket.sign(self._operator.keys["custody", "custody"].sign)

    def request_unmask(self, document: Received, grant: Logged) -> bytes:
        """Open an unmask request; the same document returns the same one."""
        self.on_request()
        self._demand_answering()
        known, _ = self.requests.get(document.content, (secrets.token_bytes(16), grant))
        self.requests[document.content] = known, grant
        return known

    def submit_revocation(self, document: Received) -> None:
        """Take a revocation."""
        self._demand_answering()
        self.revocations.append(document.content)

    def _demand_answering(self) -> None:
        if self.refusal is not None:
            raise self.refusal


class FakeMessages:
    """The forecast of a message store: made once for each document, as the real one does.

    Args:
        operator: Whose store it is.

    Attributes:
        refusal: Raised by every call while it is set.
        changes: Members of the forecast that differ: how much it counts.
        asked: How many forecasts it has made.
        loses_answers: Makes forecasts, but nobody hears of them.
        on_forecast: Called before each forecast.
        key: Signs the forecasts.
    """

    def __init__(self, operator: SampleOperator) -> None:
        self._operator = operator
        self.refusal: RefusedError | None = None
        self.changes: dict[str, object] = {}
        self.asked = 0
        self.loses_answers = False
        self.on_forecast: Callable[[], None] = lambda: None
        self._kept: dict[str, Envelope] = {}
        self.key = operator.keys["messages", STORE]

    def forecast(self, ticket: Envelope) -> Envelope:
        """Return a signed forecast."""
        if self.refusal is not None:
            raise self.refusal
        self.on_forecast()
        document = ScopeTicket.from_bytes(ticket.payload).document
        if document not in self._kept:
            self.asked += 1
            self._kept[document] = self._made(ticket, document)
        if self.loses_answers:
            raise away()
        return self._kept[document]

    def _made(self, ticket: Envelope, document: str) -> Envelope:
        now_ms = self._operator.clock.now_ms()
        members: dict[str, object] = {
            "mesh": MESH,
            "purpose": "forecast",
            "issued": now_ms,
            "expires": None,
            "checkpoint": None,
            "store": STORE,
            "document": document,
            "ticket": hashlib.sha256(ticket.payload).hexdigest(),
            "messages": 500,
            "conversations": 1,
            "bystanders": 20,
            "opaque": 0,
            "conversation_tags": (secrets.token_hex(32),),
        }
        return Forecast.model_validate({**members, **self.changes}).sign(self.key.sign)


def away() -> RefusedError:
    """Return the refusal of a peer that does not answer."""
    return RefusedError("PEER_UNAVAILABLE", "the peer cannot be reached", kind=Kind.UNAVAILABLE)
