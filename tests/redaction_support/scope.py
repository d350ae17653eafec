"""A store and custody made of the sealing functions alone, serving one document's scope to an attempt."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import io
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pyrage
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.api.common.v1 import statement_pb2
from garim.api.custody.v1 import custody_pb2
from garim.api.messages.v1 import messages_pb2 as pb
from garim.dossier.opened_identity import OpenedIdentity
from garim.dossier.opening import OpenedDossier, unpack
from garim.kit.convert import envelope_to, proof_to
from garim.kit.identity import service_id
from garim.redaction.attempt.accounts import conversation_leaf
from garim.redaction.attempt.job import Event, Job, Packed
from garim.redaction.attempt.run import DossierAttempt, Stubs
from garim.redaction.attempt.workshop import Workshop
from garim.sealing import hpke, identity, released, roster, segment, tags, write_secret
from garim.sealing.secret import Secret
from garim.sealing.write_secret import FIRST_PREVIOUS, SealedWriteSecret, WriteSecretRecord
from garim.statements import dsse
from garim.statements import roster as canonical
from garim.statements.governance import Governance, ServiceKey
from garim.statements.receipts import EpochClosed
from garim.statements.roster import RosterMember
from garim.statements.scope import ScopeTicket
from garim.testing.audit import FakeAudit
from garim.testing.clock import ManualClock
from garim.testing.governance import SampleGovernance, key_text
from garim.translog.leaf import Leaf, commitment
from garim.translog.memory import MemoryTree
from garim.translog.proven import LogProof

MESH = "test.mesh"
STORE = "store-1"
ORIGIN = "log.test.mesh/garim"
HOUR = 3_600_000
DAY = 24 * HOUR
NOW = 1_790_000_000_000 - 1_790_000_000_000 % DAY
DOSSIER = b"\x03" * 16
GRANT = "99" * 32
WORKERS = 2
DAON = RosterMember("acct-00001", ("다온",), ("+821000000001",))
HANEUL = RosterMember("acct-00002", ("한하늘",), ("+821000000002",), ("haneul@example.test",))
MARU = RosterMember("acct-00003", ("마루치아라",))


def text(sent_at: int, sender: RosterMember, body: str, kind: int = pb.MESSAGE_KIND_TEXT) -> pb.ChatMessage:
    return pb.ChatMessage(sent_at_ms=sent_at, sender=sender.account, kind=kind, text=body)  # type: ignore[arg-type] # an enum's number


@dataclasses.dataclass
class ScopeGovernance(SampleGovernance):
    """A governance that pins a store and custody."""

    service_keys: dict[str, Ed25519PrivateKey] = dataclasses.field(
        default_factory=lambda: {
            name: Ed25519PrivateKey.generate() for name in ("custody", "messages", "warrants")
        }
    )

    def draft(self, **named: Any) -> bytes:
        drawn = Governance.from_bytes(super().draft(**named))
        pinned = tuple(
            ServiceKey.from_json(
                {"service": name, "instance": STORE if name == "messages" else name, "key": key_text(key)}
            )
            for name, key in self.service_keys.items()
        )
        return drawn.model_copy(update={"services": pinned}).to_bytes()


@dataclasses.dataclass
class Segment:
    """A stored segment."""

    conversation: bytes
    roster: bytes
    header: bytes
    ciphertext: bytes


@dataclasses.dataclass
class Epoch:
    """An epoch with one write secret."""

    id: bytes
    private: Secret
    index_key: Secret
    secret: Secret
    kept: SealedWriteSecret
    start: int
    rosters: dict[bytes, bytes] = dataclasses.field(default_factory=dict)
    segments: list[Segment] = dataclasses.field(default_factory=list)
    closed: bool = False

    def write_secret(self) -> pb.WriteSecret:
        return pb.WriteSecret(record=self.kept.record, signature=self.kept.signature, sealed=self.kept.sealed)


class Scope:
    """What the store holds, and whom an attempt calls.

    Attributes:
        tamper: Changes the items of a pass before they are served.
        releases: What custody was asked for.
    """

    def __init__(self) -> None:
        self.clock = ManualClock(NOW)
        log_key = Ed25519PrivateKey.generate()
        self.governance = ScopeGovernance(MESH, log_key, ORIGIN, NOW)
        self.audit = FakeAudit(MESH, ORIGIN, self.clock, key=log_key)
        self.tree = MemoryTree()
        self.epochs: list[Epoch] = []
        self.private, self.public = hpke.generate()
        self.age = pyrage.x25519.Identity.generate()
        self.tamper: Callable[[int, list[pb.ReadSegmentsResponse]], list[pb.ReadSegmentsResponse]] = (
            lambda _, items: items
        )
        self.releases: list[custody_pb2.ReleaseSegmentKeysRequest] = []
        self.subject = DAON

    def epoch(self, start: int = NOW - HOUR) -> Epoch:
        private, public = hpke.generate()
        epoch_id = secrets.token_bytes(16)
        record = WriteSecretRecord(MESH, STORE, epoch_id, start, start + 60_000, FIRST_PREVIOUS)
        opened, kept = write_secret.make(record, public, self.governance.service_keys["messages"].sign)
        self.epochs.append(Epoch(epoch_id, private, Secret.random(), opened, kept, start))
        return self.epochs[-1]

    def room(self, epoch: Epoch, name: str, members: Sequence[RosterMember], title: str = "") -> bytes:
        """Store a roster; returns its digest, which segments name."""
        plain = roster.RosterPlain(
            epoch.kept.id,
            secrets.token_bytes(16),
            epoch.id,
            self._tag(epoch, "conversation", name),
            tuple(
                sorted(
                    (
                        roster.MemberTag(self._tag(epoch, "account", one.account), "account")
                        for one in members
                    ),
                    key=lambda one: one.tag,
                )
            ),
        )
        root = roster.roster_root(epoch.secret, MESH)
        record = roster.seal_roster(root, MESH, plain, canonical.canonical(name, title, members)).encode()
        epoch.rosters[roster.digest(record)] = record
        return roster.digest(record)

    def put(
        self,
        epoch: Epoch,
        room: bytes,
        messages: Sequence[pb.ChatMessage],
        kind: int = segment.KIND_MESSAGES,
        **change: Any,
    ) -> Segment:
        """Store a segment."""
        plain = roster.RosterRecord.decode(epoch.rosters[room]).plain
        times = [one.sent_at_ms for one in messages]
        fields: dict[str, Any] = {
            "segment": secrets.token_bytes(16),
            "write_secret": epoch.kept.id,
            "conversation": plain.conversation,
            "roster": room,
            "sent_first": min(times),
            "sent_last": max(times),
            "received_first": epoch.start,
            "received_last": epoch.start + 1_000,
            "count": len(messages),
            "kind": kind,
        }
        header = segment.SegmentHeader(**(fields | change)).encode()
        block = zstandard.ZstdCompressor(3).compress(pb.MessageBlock(messages=messages).SerializeToString())
        root = segment.segment_root(epoch.secret, MESH)
        made = Segment(plain.conversation, room, header, segment.BlockSealer(root, MESH).seal(header, block))
        epoch.segments.append(made)
        return made

    def ReadSegments(self, request: pb.ReadSegmentsRequest) -> Iterator[pb.ReadSegmentsResponse]:  # noqa: N802 - the RPC's name
        which = getattr(request, "pass")
        items: list[pb.ReadSegmentsResponse] = []
        for epoch in self.epochs:
            items += self._rosters(epoch) if which == pb.READ_PASS_ROSTERS else self._segments(epoch)
        return iter(self.tamper(which, items))

    def ReleaseSegmentKeys(  # noqa: N802 - the RPC's name
        self, request: custody_pb2.ReleaseSegmentKeysRequest
    ) -> custody_pb2.ReleaseSegmentKeysResponse:
        self.releases.append(request)
        opened = {}
        for one in request.write_secrets:
            kept = SealedWriteSecret(one.record, one.signature, one.sealed)
            epoch = next(it for it in self.epochs if it.kept.record == one.record)
            opened[kept.id] = write_secret.open_secret(kept, epoch.private)
        keys = []
        for record in request.rosters:
            plain = roster.RosterRecord.decode(record)
            root = roster.roster_root(opened[plain.plain.write_secret], MESH)
            keys.append(roster.roster_key(root, MESH, plain.plain_bytes))
        for header in request.headers:
            decoded = segment.SegmentHeader.decode(header)
            assert decoded.roster in {roster.digest(one) for one in request.rosters}
            root = segment.segment_root(opened[decoded.write_secret], MESH)
            keys.append(segment.segment_key(root, MESH, header))
        digest = released.request_digest(request.rosters, request.headers)
        sealed = released.seal_keys(keys, request.attempt_public_key, MESH, request.dossier_id, digest)
        return custody_pb2.ReleaseSegmentKeysResponse(sealed_keys=sealed)

    def ticket(self, **change: Any) -> dsse.Envelope:
        return ScopeTicket.from_json(
            {
                "mesh": MESH,
                "purpose": "read",
                "issued": NOW,
                "expires": NOW + HOUR,
                "checkpoint": None,
                "ticket": "0a" * 16,
                "document": "0b" * 32,
                "grant": GRANT,
                "period": {"start": 0, "end": NOW},
                "received_until": NOW,
                "until": None,
                "epochs": [],
                "destroyed_epochs": 0,
            }
            | change
        ).sign(self.governance.service_keys["custody"].sign)

    def job(self, folder: Path, **change: Any) -> Job:
        return Job.from_json(
            {
                "settings": "",
                "purpose": "read",
                "dossier": DOSSIER.hex(),
                "public_key": base64.b64encode(self.public).decode(),
                "grant": GRANT,
                "ticket": base64.b64encode(dsse.to_bytes(self.ticket())).decode(),
                "governance": base64.b64encode(self.governance.versions[0].document).decode(),
                "subjects": [{"kind": "account", "value": self.subject.account}],
                "period": {"start": 0, "end": NOW},
                "mode": "sealed",
                "recipient": str(self.age.to_public()),
                "authority": "가온지방검찰청",
                "case_number": "2026형제1",
                "number": "2026-1",
                "package": str(folder / "package.age"),
                "lifted": [],
            }
            | change
        )

    def stubs(self) -> Stubs:
        return Stubs(cast("Any", self), cast("Any", self))

    def attempt(self, folder: Path, emit: Callable[[Event], None] = lambda _: None, **change: Any) -> Any:
        """Run an attempt in this process; returns how it ended."""
        return self.starting(folder, emit, **change).run()

    def starting(
        self, folder: Path, emit: Callable[[Event], None] = lambda _: None, **change: Any
    ) -> DossierAttempt:
        """Return an attempt that has its workers and has not run."""
        job = self.job(folder, **change)
        workshop = Workshop(folder, MESH, DOSSIER, WORKERS, open_names=job.masking.open_names)
        return DossierAttempt(job, self.stubs(), workshop, emit)

    def made(self, folder: Path, **change: Any) -> Dossier:
        """Run an attempt that ends with a package, and open it."""
        outcome = self.attempt(folder, **change)
        assert isinstance(outcome, Packed), outcome
        return self.opened(folder, outcome)

    def opened(self, folder: Path, packed: Packed) -> Dossier:
        plain = pyrage.decrypt((folder / "package.age").read_bytes(), [self.age])
        target = folder / secrets.token_hex(4)
        unpack(io.BytesIO(plain), target)
        return Dossier(self, packed, OpenedDossier(target), plain)

    def _tag(self, epoch: Epoch, kind: str, value: str) -> bytes:
        return tags.tag(epoch.index_key, MESH, kind, value)

    def _rosters(self, epoch: Epoch) -> list[pb.ReadSegmentsResponse]:
        subject = self._tag(epoch, "account", self.subject.account)
        found = []
        for digest, record in epoch.rosters.items():
            header = next((one.header for one in epoch.segments if one.roster == digest), None)
            if header and subject in {one.tag for one in roster.RosterRecord.decode(record).plain.members}:
                item = pb.RosterItem(record=record, header=header)
                found.append(pb.ReadSegmentsResponse(roster=item))
        return [pb.ReadSegmentsResponse(write_secret=epoch.write_secret()), *found]

    def _segments(self, epoch: Epoch) -> list[pb.ReadSegmentsResponse]:
        subject = self._tag(epoch, "account", self.subject.account)
        served = {
            digest
            for digest, record in epoch.rosters.items()
            if subject in {one.tag for one in roster.RosterRecord.decode(record).plain.members}
        }
        items = []
        grouped: dict[bytes, list[Segment]] = {}
        for one in epoch.segments:
            grouped.setdefault(one.conversation, []).append(one)
        if epoch.closed:
            items.append(self._account(epoch, grouped))
        items.append(pb.ReadSegmentsResponse(write_secret=epoch.write_secret()))
        for conversation, stored in sorted(grouped.items()):
            if epoch.closed and served & {one.roster for one in stored}:
                items.append(
                    pb.ReadSegmentsResponse(conversation=self._conversation(epoch, grouped, conversation))
                )
            items += [
                pb.ReadSegmentsResponse(segment=pb.SegmentItem(header=one.header, ciphertext=one.ciphertext))
                for one in stored
                if one.roster in served
            ]
        return items

    def _tree(self, grouped: dict[bytes, list[Segment]]) -> MemoryTree:
        tree = MemoryTree()
        tree.append(
            conversation_leaf(tag, [one.header for one in stored]) for tag, stored in sorted(grouped.items())
        )
        return tree

    def _account(self, epoch: Epoch, grouped: dict[bytes, list[Segment]]) -> pb.ReadSegmentsResponse:
        closed = EpochClosed.from_json(
            {
                "mesh": MESH,
                "purpose": "epoch-closed",
                "issued": NOW,
                "expires": None,
                "checkpoint": None,
                "store": STORE,
                "epoch": epoch.id.hex(),
                "head": hashlib.sha256(epoch.kept.record).hexdigest(),
                "write_secrets": 1,
                "segments": len(epoch.segments),
                "conversations": len(grouped),
                "conversations_root": self._tree(grouped).root().hex(),
            }
        ).sign(self.governance.service_keys["messages"].sign)
        logged = statement_pb2.LoggedStatement(
            statement=envelope_to(closed),
            proof=proof_to(self.logged(closed.payload, "epoch-closed", "messages")),
        )
        return pb.ReadSegmentsResponse(epoch=pb.EpochAccount(closed=logged, records=[epoch.kept.record]))

    def _conversation(
        self, epoch: Epoch, grouped: dict[bytes, list[Segment]], tag: bytes
    ) -> pb.ConversationAccount:
        tree, index = self._tree(grouped), sorted(grouped).index(tag)
        return pb.ConversationAccount(
            epoch_id=epoch.id,
            conversation_tag=tag,
            headers=[one.header for one in grouped[tag]],
            index=index,
            size=tree.size,
            path=tree.inclusion(index, tree.size),
        )

    def logged(self, body: bytes, kind: str, service: str) -> LogProof:
        """Log a body and return its proof."""
        salt = secrets.token_bytes(32)
        leaf = Leaf(kind, NOW, service_id(MESH, service), commitment(salt, body)).encode()
        index = self.audit.add(leaf)
        self.tree.append([leaf])
        path = tuple(self.tree.inclusion(index, self.tree.size))
        return LogProof(leaf, salt, index, path, self.audit.note())


@dataclasses.dataclass
class Dossier:
    """An opened package with what custody could open."""

    scope: Scope
    packed: Packed
    opened: OpenedDossier
    plain: bytes

    def identities(self) -> dict[str, dict[str, Any]]:
        """Return what is known of each sealed person or value."""
        return {name: dict(one.facts) for name, one in self.released().items()}

    def released(self) -> dict[str, OpenedIdentity]:
        """Return every identity as if custody had released it."""
        sealed = base64.b64decode(self.packed.sealed_secret)
        secret = identity.open_secret(sealed, self.scope.private, MESH, DOSSIER, bytes.fromhex(GRANT))
        return {
            one.pseudonym: OpenedIdentity.from_object(
                json.loads(identity.open_identity(secret, MESH, DOSSIER, one.pseudonym, one.sealed)), MESH
            )
            for one in self.opened.identities()
        }

    def texts(self) -> list[str]:
        return [one.text for one in self.opened.messages()]
