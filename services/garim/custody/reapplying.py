"""What each of custody's own log entries means for a database that was restored from before it.

Only what closes, uses up, ends or hands over something is applied: an approval, a thaw or a released key
opens, and is left undone. Each entry is applied in one transaction and changes nothing when applied again.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, cast

from sqlalchemy import Connection

from garim.custody.core import Core
from garim.custody.deciding_unmask import end_request, finish_request, keep_denial
from garim.custody.keeper import REMAINS
from garim.custody.kinds import DOSSIER, ORDER, REQUEST, Mortal
from garim.custody.revoking import stop_document
from garim.custody.tables import dossiers, objects, unmask
from garim.custody.tables.unmask import KeptDecision, UnmaskRequest
from garim.custody.transferring import ACCEPTED_ENTRY, OFFERED_ENTRY, reapply
from garim.documents.claims import Revocation, read_claims
from garim.dossier.answer_file import RELEASED_ENTRY
from garim.kit.governance import ENTRY_GENESIS, ENTRY_VERSION, Version
from garim.kit.ledger.refusals import ENTRY_REFUSED
from garim.kit.providers import KeyHandle
from garim.statements import dsse, strict_json
from garim.statements.decisions import Decision
from garim.statements.grants import DocumentId
from garim.statements.receipts import (
    DestructionCertificate,
    DossierReceipt,
    IdentitiesReleased,
)
from garim.statements.refusal import Kind, RefusedError
from garim.translog.proven import LogProof

BARE = frozenset({ENTRY_GENESIS, ENTRY_REFUSED})
"""Entries of custody's that carry no sealed body: the log's first leaf, and refused calls."""

LOST = "lost"
"""Stands for what only the lost database had."""


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One of custody's log entries, opened and verified.

    Attributes:
        kind: Its type.
        body: What was committed to.
        beside: What was sealed beside the body.
        proof: That it is logged.
        time_ms: Its time in the log.
    """

    kind: str
    body: bytes
    beside: bytes
    proof: LogProof
    time_ms: int


@dataclasses.dataclass(frozen=True, slots=True)
class Reapplying:
    """Applies entries to a restored database.

    Args:
        core: Custody's means.
        put_in_force: Puts the next governance version in force; one that is in force already is passed over.
    """

    core: Core
    put_in_force: Callable[[Version], object]

    def apply(self, entry: Entry) -> None:
        """Apply an entry.

        Raises:
            RefusedError: `RECOVERY_LEAF`: nobody knows what it means; those of its body.
        """
        if entry.kind == ENTRY_VERSION:
            self._govern(entry)
            return
        applied = APPLIED.get(entry.kind)
        if applied is None:
            raise RefusedError("RECOVERY_LEAF", f"an entry of unknown type {entry.kind}", kind=Kind.DATA_LOSS)
        if entry.kind == "destroyed":
            certificate = DestructionCertificate.from_bytes(entry.body)
            self.core.provider.destroy(KeyHandle(certificate.kind, certificate.object))
        with self.core.database.writing() as connection:
            applied(self.core, connection, entry)

    def _govern(self, entry: Entry) -> None:
        listed = strict_json.parse_object(entry.beside)["decisions"]
        decisions = tuple(dsse.from_json(one) for one in listed)
        self.put_in_force(Version(entry.body, decisions, entry.proof))

    def note_objects(self) -> None:
        """Take note of key objects that the restored database does not know, so that they end one day too."""
        core = self.core
        version = core.policy.at(core.clock.now_ms())
        terms = core.governance.current().terms
        day_ms = 24 * 3_600_000
        longest: dict[Mortal, int] = {
            # The lost database had made the current and the next epoch at most.
            "epoch": 2 * terms.epoch + terms.retention,
            "dossier": version.deadlines.unmask_days * day_ms if version else 0,
            "preservation-order": version.limits.preservation_days * day_ms if version else 0,
            "unmask-request": 0,
        }
        now_ms = core.clock.now_ms()
        for kind, ms in longest.items():
            for handle in core.provider.list(kind):
                with core.database.writing() as connection:
                    _note(connection, kind, handle.object_id, now_ms + ms)


def _note(connection: Connection, kind: Mortal, object_id: str, due_ms: int) -> None:
    if objects.find(connection, kind, object_id) is None:
        objects.add(connection, kind, object_id, due_ms, "lost in a restore")


def _use(connection: Connection, document: object, kind: str, target: str) -> None:
    """Mark a document as used, by its payload and by its number."""
    identity = DocumentId.from_json(document)
    used = dossiers.used_for(
        connection, digest=identity.digest, authority=identity.authority, number=identity.number
    )
    if used is None:
        dossiers.use_document(
            connection,
            digest=identity.digest,
            authority=identity.authority,
            number=identity.number,
            kind=kind,
            target=target,
        )


def _members(entry: Entry) -> Mapping[str, Any]:
    return strict_json.parse_object(entry.body)


def _created(core: Core, connection: Connection, entry: Entry) -> None:
    members = _members(entry)
    _use(connection, members["document"], "disclosure", members["dossier"])
    if core.provider.exists(KeyHandle(DOSSIER, members["dossier"])):
        _note(connection, DOSSIER, members["dossier"], members["unmask_until"])


def _preserved(core: Core, connection: Connection, entry: Entry) -> None:
    members = _members(entry)
    _use(connection, members["document"], "preservation", members["order"])
    if core.provider.exists(KeyHandle(ORDER, members["order"])):
        _note(connection, ORDER, members["order"], members["until"])


def _closed(core: Core, connection: Connection, entry: Entry) -> None:
    """Close a dossier for good; what sealed its identities is lost unless the database had it already."""
    receipt = DossierReceipt.from_bytes(entry.body)
    known = dossiers.find(connection, receipt.dossier)
    if known is None or known.state == "closed":
        return
    same = known.receipt is not None and dsse.from_bytes(known.receipt).payload == entry.body
    signed = dsse.sign(DossierReceipt.PAYLOAD_TYPE, entry.body, core.sign)
    dossiers.change(
        connection,
        known.id,
        state="closed",
        receipt=known.receipt if same else dsse.to_bytes(signed),
        receipt_proof=strict_json.dump(entry.proof.to_object()),
        closing_digest=known.closing_digest if same else LOST,
        sealed_secret=known.sealed_secret if same else None,
    )


def _requested(core: Core, connection: Connection, entry: Entry) -> None:
    """Use the document up; a request whose key is lost has ended and only its place in lists remains."""
    members = _members(entry)
    _use(connection, members["document"], "supplementary", members["request"])
    dossier = dossiers.find(connection, members["dossier"])
    if unmask.find(connection, members["request"]) is not None or dossier is None:
        return
    lost = UnmaskRequest(
        id=members["request"],
        dossier_id=members["dossier"],
        document_digest=members["document"]["digest"],
        media_type=LOST,
        document=b"",
        grant_digest=members["grant"],
        grant=b"",
        grant_proof=b"",
        case_id=LOST,
        recipient=LOST,
        filer=members["filer"],
        public_key=b"",
        wrapped_private=None,
        subject=LOST,
        state="expired",
        opened_ms=entry.time_ms,
        expires_ms=entry.time_ms,
        opened_body=entry.body,
    )
    unmask.add(connection, lost, [(name, b"") for name in sorted(members["identities"])])
    if core.provider.exists(KeyHandle(REQUEST, lost.id)):
        _note(connection, REQUEST, lost.id, core.clock.now_ms())


def _released(core: Core, connection: Connection, entry: Entry) -> None:
    """Count the identities as released; the answer itself is gone, and a new document must ask for it."""
    released = IdentitiesReleased.from_bytes(entry.body)
    before = (*unmask.UNFINISHED, "expired")
    if unmask.advance(connection, released.request, cast("Any", before), "released"):
        finish_request(connection, released.request, "released", core.clock.now_ms())


def _denied(core: Core, connection: Connection, entry: Entry) -> None:
    decision = Decision.from_bytes(entry.body)
    request = unmask.of_subject(connection, decision.subject)
    if request is None:
        return
    digest = hashlib.sha256(entry.body).hexdigest()
    kept = KeptDecision(decision.person, "deny", entry.beside, entry.time_ms)
    keep_denial(connection, core, request, digest, kept)


def _handed_over(_core: Core, connection: Connection, entry: Entry) -> None:
    reapply(connection, entry.beside, entry.time_ms)


def _revoked(core: Core, connection: Connection, entry: Entry) -> None:
    claims = read_claims(entry.body)
    if isinstance(claims, Revocation):
        stop_document(connection, claims.revokes.sha256, core.clock.now_ms())


def _intended(_core: Core, connection: Connection, entry: Entry) -> None:
    members = _members(entry)
    known = objects.find(connection, members["kind"], members["object"])
    if known is not None and known.state == "alive":
        objects.end(connection, known.kind, known.id, entry.time_ms, members["cause"])
        objects.set_state(connection, known.kind, known.id, "intended")


def _destroyed(core: Core, connection: Connection, entry: Entry) -> None:
    certificate = DestructionCertificate.from_bytes(entry.body)
    kind, object_id = certificate.kind, certificate.object
    _note(connection, kind, object_id, entry.time_ms)
    signed = dsse.sign(DestructionCertificate.PAYLOAD_TYPE, entry.body, core.sign)
    objects.set_state(connection, kind, object_id, "destroyed", dsse.to_bytes(signed))
    if kind == REQUEST:
        end_request(connection, object_id, "expired", core.clock.now_ms())
    REMAINS[kind].drop(connection, object_id)


def _nothing(_core: Core, _connection: Connection, _entry: Entry) -> None:
    """What opens something, or what the freeze of the recovery itself stands for, is not done again."""


APPLIED: Mapping[str, Callable[[Core, Connection, Entry], None]] = {
    "dossier-key-created": _created,
    "keys-preserved": _preserved,
    "dossier-closed": _closed,
    "unmask-requested": _requested,
    RELEASED_ENTRY: _released,
    "denial": _denied,
    ACCEPTED_ENTRY: _handed_over,
    "document-revoked": _revoked,
    "destruction-intended": _intended,
    "destroyed": _destroyed,
    "keys-released": _nothing,
    "approval": _nothing,
    OFFERED_ENTRY: _nothing,
    "freeze": _nothing,
    "thaw": _nothing,
    "recovered": _nothing,
}
"""What is done for each type; a type that is missing here stops the recovery."""
