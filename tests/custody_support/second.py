"""Custody at the second request: a truly sealed dossier, documents with proofs, custodians with shares."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyrage

from custody_support.vault import MESH, CustodyOperator, Vault, claims_of, digest_of
from garim.custody.age import encrypt_to
from garim.custody.collecting import Collecting
from garim.custody.deciding_unmask import BroughtShare, UnmaskDecisions
from garim.custody.freezing import Freezing
from garim.custody.genesis import OwnGovernance
from garim.custody.governing import Governing
from garim.custody.journal import Journal
from garim.custody.keeper import Keeper
from garim.custody.reapplying import Reapplying
from garim.custody.restoring import Restoring
from garim.custody.revoking import Revoking
from garim.custody.servicer_unmask import UnmaskUseCases
from garim.custody.tables import dossiers, recovery_keys, stopping, unmask
from garim.custody.tables.dossiers import Dossier
from garim.custody.tables.unmask import UnmaskRequest
from garim.custody.unmasking import Unmasking
from garim.documents import formats
from garim.documents.claims import Supplementary, document_id
from garim.documents.media_types import JWS_MEDIA_TYPE
from garim.documents.policy import DAY_MS
from garim.documents.scope import identities_of
from garim.dossier import commitments
from garim.dossier.answer_file import AnswerFile, verify_answers
from garim.kit.convert import Logged, Received
from garim.kit.governance_table import GovernanceTable
from garim.kit.identity import service_id
from garim.kit.ledger import Ledger
from garim.sealing import identity, quorum
from garim.sealing.secret import Secret
from garim.statements import dsse, governance, subjects
from garim.statements.decisions import Action, Decision
from garim.statements.dsse import Envelope
from garim.statements.grants import UnmaskGrant
from garim.statements.receipts import DossierReceipt
from garim.testing import documents
from garim.testing.pki import DocumentPki
from kit_support.engines import copy_database

PEOPLE = ("da-som", "ga-on", "na-rae")
"""The custodians; two of them open something."""

HOUR_MS = 3_600_000
NAMES = ("P-22222-AAAAA", "P-33333-BBBBB", "PHONE-44444-CCCCC")


@dataclasses.dataclass
class Packed:
    """A closed dossier with what its package holds."""

    dossier: Dossier
    sealed: dict[str, bytes]
    plain: dict[str, bytes]
    identities: Any
    messages: Any
    leaves: list[tuple[str, list[str], bytes]]


class SecondVault(Vault):
    """Custody with the use cases of the second request, its own governance, and its start."""

    def __init__(self, folder: Path, operator: CustodyOperator) -> None:
        self.recipient = pyrage.x25519.Identity.generate()
        self.numbers = 0
        super().__init__(folder, operator)

    def open(self) -> None:
        """Start custody on its database."""
        super().open()
        genesis = self.operator.governance.genesis
        self.own = OwnGovernance(GovernanceTable(self.database), MESH, genesis)
        if not self.own.height:
            self.own.put_in_force(self.operator.governance.versions[0])
        self.ledger = Ledger(
            self.audit,
            governance=self.own,
            actor=service_id(MESH, "custody"),
            database=self.database,
            clock=self.clock,
            random_bytes=secrets.token_bytes,
        )
        with self.database.reading() as connection:
            key = recovery_keys.newest(connection)
        assert key is not None
        self.core = dataclasses.replace(
            self.core,
            governance=self.own,
            log=self.ledger,
            journal=Journal(self.ledger, MESH, self.clock, key.public, self.core.sign),
        )
        self.dossiers = type(self.dossiers)(self.core)
        self.tickets = type(self.tickets)(self.core)
        self.releases = type(self.releases)(self.core)
        self.orders = type(self.orders)(self.core)
        self.closing = type(self.closing)(self.core)
        self.keeper = Keeper(self.core, self.telemetry)
        self.unmasking = Unmasking(self.core)
        self.decisions = UnmaskDecisions(self.core)
        self.collecting = Collecting(self.core, encrypt_to)
        self.use_cases = UnmaskUseCases(self.core, self.unmasking, self.decisions, self.collecting)
        self.freezing = Freezing(self.core)
        self.revoking = Revoking(self.core)
        self.governing = Governing(self.core, self.own, self.ledger.begin_under)
        self.restoring = Restoring(
            self.core, self.audit, self.ledger.refresh, Reapplying(self.core, self.own.catch_up)
        )

    def backup(self) -> Path:
        """Copy the database as a backup would."""
        place = self.folder / f"backup-{secrets.token_hex(4)}.db"
        copy_database(self.folder / "custody.db", place)
        return place

    def restore(self, backup: Path) -> None:
        """Start custody on a backup of its database; the log is not compared yet."""
        self.database.close()
        copy_database(backup, self.folder / "custody.db")
        self.open()
        self.restoring.begin()

    def number(self) -> str:
        """Return a document number that nobody used."""
        self.numbers += 1
        return f"2026-TEST-{self.numbers:04}"

    def pack(self, *, names: tuple[str, ...] = NAMES, tag: str | None = None, **bent: Any) -> Packed:
        """Make and close a dossier in which each pseudonym stands in a message."""
        tags = (tag or secrets.token_hex(32),)
        request = self.request(
            document={"number": self.number()}, forecast={"conversation_tags": tags}, grant=bent
        )
        dossier = self.create(request)
        assert dossier.public_key is not None
        dossier_id = bytes.fromhex(dossier.id)
        with Secret.random() as s:
            opening = {"opening": "0e" * 32, "originals": []}
            plain = {name: json.dumps({"type": "PERSON", "value": name} | opening).encode() for name in names}
            sealed = {
                name: identity.seal_identity(s, MESH, dossier_id, name, value, secrets.token_bytes(16))
                for name, value in plain.items()
            }
            secret = identity.seal_secret(
                s, dossier.public_key, MESH, dossier_id, bytes.fromhex(dossier.grant_digest)
            )
        ordered = sorted(sealed)
        identities = commitments.tree_of(commitments.identity_leaf(one, sealed[one]) for one in ordered)
        leaves = [(f"C1-{at:04}", [one], secrets.token_bytes(32)) for at, one in enumerate(ordered, 1)]
        messages = commitments.tree_of(commitments.message_leaf(*one) for one in leaves)
        self.closing.close(
            dossier_id,
            self.finished(
                sealed_secret=secret,
                identities_root=identities.root(),
                identities=len(ordered),
                messages_root=messages.root(),
                messages=len(leaves),
            ),
        )
        with self.database.reading() as connection:
            closed = dossiers.find(connection, dossier.id)
        assert closed is not None
        return Packed(closed, sealed, plain, identities, messages, leaves)

    def named(self, packed: Packed, name: str) -> dict[str, Any]:
        """Return what a second document says of one pseudonym, with its proofs."""
        ordered = sorted(packed.sealed)
        at = ordered.index(name)
        size = len(ordered)
        number, pseudonyms, content = packed.leaves[at]

        def proof(tree: Any) -> dict[str, Any]:
            hashes = [one.hex() for one in tree.inclusion(at, size)]
            return {"leaf_index": at, "tree_size": size, "hashes": hashes}

        return {
            "pseudonym": name,
            "sealed_sha256": hashlib.sha256(packed.sealed[name]).hexdigest(),
            "proof": proof(packed.identities),
            "grounds": [
                {
                    "message": number,
                    "pseudonyms": pseudonyms,
                    "content_sha256": content.hex(),
                    "proof": proof(packed.messages),
                }
            ],
        }

    def second(self, packed: Packed, *names: str, **changes: Any) -> Received:
        """Return a second document about pseudonyms, with their sealed identities beside it."""
        wanted = names or NAMES[:1]
        members = {
            "number": self.number(),
            "first_document": packed.dossier.document_digest,
            "dossier": packed.dossier.id,
            "identities": [self.named(packed, one) for one in wanted],
            "recipient": str(self.recipient.to_public()),
            **changes,
        }
        content = documents.signed(self.pki, documents.supplementary(self.pki, **members))
        attachments = tuple(packed.sealed[one] for one in sorted(wanted))
        return Received(JWS_MEDIA_TYPE, content, attachments)

    def unmask_grant(self, received: Received, **changes: object) -> Logged:
        """Return a logged unmask grant that says what its document says, but for the changes."""
        claims = claims_of(received)
        assert isinstance(claims, Supplementary)
        members: dict[str, object] = {
            "mesh": MESH,
            "purpose": "unmask",
            "issued": self.clock.now_ms(),
            "expires": self.clock.now_ms() + 14 * DAY_MS,
            "checkpoint": None,
            "grant": secrets.token_hex(16),
            "case": self.warrants.case,
            "document": document_id(claims, digest_of(received)),
            "document_issued": claims.issued_ms,
            "governance": self.core.governance.current().version,
            "policy": hashlib.sha256(self.operator.policy).hexdigest(),
            "first": claims.first_document,
            "dossier": claims.dossier,
            "identities": identities_of(claims),
            "recipient": claims.recipient,
            "filer": "cheong-a",
        }
        return self.warrants.log(UnmaskGrant.model_validate({**members, **changes}), "unmask-granted")

    def ask(self, packed: Packed, *names: str, **changes: Any) -> UnmaskRequest:
        """Open a second request."""
        received = self.second(packed, *names, **changes)
        return self.unmasking.open(received, self.unmask_grant(received))

    def decision(self, person: str, action: Action, subject: str, **changes: Any) -> Envelope:
        """Return a custodian's decision under the governance and freeze now in force."""
        key = changes.pop("key", None) or self.operator.governance.custodian_keys[person]
        with self.database.reading() as connection:
            freeze = stopping.freeze_in_force(connection)
        now_ms = self.clock.now_ms()
        members: dict[str, object] = {
            "mesh": MESH,
            "purpose": "decision",
            "issued": now_ms,
            "expires": now_ms + HOUR_MS,
            "checkpoint": None,
            "action": action,
            "subject": subject,
            "reason": "TEST 사유",
            "person": person,
            "governance": self.core.governance.current().version,
            "freeze": freeze.id if freeze else None,
        }
        return Decision.model_validate({**members, **changes}).sign(key.sign)

    def shares(self, request: UnmaskRequest, person: str, **other: Any) -> list[BroughtShare]:
        """Return a custodian's shares, re-sealed to a request."""
        with self.database.reading() as connection:
            kept = dossiers.shares(connection, request.dossier_id, person)
        dossier_id = bytes.fromhex(request.dossier_id)
        made = []
        for one in kept:
            sealed = quorum.SealedShare(one.subset, one.custodian, one.sealed, one.digest, one.holder)
            private = self.operator.governance.share_keys[person][0]
            with quorum.open_share(sealed, private, MESH, dossier_id).share as share:
                made.append(
                    (
                        one.subset,
                        quorum.reseal_for_request(
                            quorum.OpenShare(one.subset, one.custodian, share),
                            other.get("public", request.public_key),
                            MESH,
                            other.get("bound_request", bytes.fromhex(request.id)),
                            other.get("bound_dossier", dossier_id),
                        ),
                    )
                )
        return made

    def approve(self, request: UnmaskRequest, *people: str, **changes: Any) -> UnmaskRequest:
        """Have custodians approve."""
        found = request
        for person in people:
            envelope = self.decision(person, "approve", request.subject, **changes)
            found = self.decisions.decide(request.id, envelope, self.shares(request, person), person)
        return found

    def deny(self, request: UnmaskRequest, *people: str) -> UnmaskRequest:
        """Have custodians deny."""
        found = request
        for person in people:
            envelope = self.decision(person, "deny", request.subject)
            found = self.decisions.decide(request.id, envelope, [], person)
        return found

    def freeze(self, person: str = "ga-on") -> str:
        """Have a custodian freeze custody."""
        return self.freezing.freeze(self.decision(person, "freeze", subjects.freeze(MESH)), person)

    def thaw(self, *people: str) -> bool:
        """Have custodians thaw custody; tells whether it is frozen still."""
        frozen = True
        for person in people:
            with self.database.reading() as connection:
                freeze = stopping.freeze_in_force(connection)
            assert freeze is not None
            subject = subjects.thaw(bytes.fromhex(freeze.id))
            frozen, _, _ = self.freezing.thaw(self.decision(person, "thaw", subject), person)
        return frozen

    def revocation(self, revoked: bytes, number: str, **changes: Any) -> Received:
        """Return a signed revocation of a document."""
        members = documents.revocation(self.pki, revoked, number=self.number(), **changes)
        members["revokes"]["number"] = number
        return self.document(members)

    def revoke(self, packed: Packed) -> None:
        """Revoke the document of a dossier."""
        payload = packed.dossier.payload
        self.revoking.revoke(self.revocation(payload, json.loads(payload)["number"]))

    def revoke_request(self, request: UnmaskRequest) -> None:
        """Revoke the document of a request."""
        payload = dsse_payload(request)
        self.revoking.revoke(self.revocation(payload, json.loads(payload)["number"]))

    def opened(self, answer: bytes, packed: Packed) -> dict[str, Mapping[str, object]]:
        """Decrypt and verify an answer as the agency does."""
        file = AnswerFile.from_bytes(pyrage.decrypt(answer, [self.recipient]))
        assert packed.dossier.receipt is not None
        receipt = DossierReceipt.from_bytes(dsse.from_bytes(packed.dossier.receipt).payload)
        released = verify_answers(file, packed.sealed, receipt, self.core.governance.current())
        return {name: one.facts for name, one in released.items()}

    def find(self, request: UnmaskRequest) -> UnmaskRequest:
        """Return a request as it stands now."""
        with self.database.reading() as connection:
            found = unmask.find(connection, request.id)
        assert found is not None
        return found

    def before(self, kind: str, act: Callable[[], object]) -> None:
        """Do something once, while the log is about to append an entry of a type."""

        def hook(appended: str) -> None:
            if appended == kind:
                self.operator.audit.before_append = lambda _kind: None
                act()

        self.operator.audit.before_append = hook

    def while_opening(self, act: Callable[[], object]) -> None:
        """Do something once, after the log has answered and while the opener opens identities."""
        plain = self.opener.run

        def run(job: bytes) -> bytes:
            if b'"open-identities"' in job:
                self.opener.run = plain  # type: ignore[method-assign]
                answer = plain(job)
                act()
                return answer
            return plain(job)

        self.opener.run = run  # type: ignore[method-assign]

    def cancelled(self, digest: str) -> None:
        """Have warrants say that the case of one document alone is cancelled."""
        plain = self.warrants.case_status

        def status(document: bytes, nonce: bytes) -> Envelope:
            self.warrants.state = "cancelled" if document.hex() == digest else "granted"
            return plain(document, nonce)

        self.warrants.case_status = status  # type: ignore[method-assign]

    def next_governance(self, **changes: Any) -> bytes:
        """Return a draft of the next version: the one in force with changes."""
        current = self.own.current()
        last = self.own.version(self.own.height)
        assert last is not None
        changes = {"version": current.version + 1, "previous": governance.digest(last.document), **changes}
        return current.model_copy(update=changes).to_bytes()

    def govern(self, document: bytes, *people: str) -> None:
        """Propose a version and have custodians decide for it."""
        digest = self.governing.propose(document)
        for person in people:
            envelope = self.decision(person, "governance", governance.decision_subject(document))
            self.governing.decide(digest, envelope, person)


def dsse_payload(request: UnmaskRequest) -> bytes:
    """Return the payload of a request's document."""
    return formats.open_document(request.media_type, request.document).payload


def made_vault(folder: Path, pki: DocumentPki) -> SecondVault:
    """Return a custody at the time of the requests."""
    vault = SecondVault(folder, CustodyOperator(pki))
    vault.stored_epoch()
    vault.until_request()
    return vault
