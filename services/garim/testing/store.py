"""A message store in memory behind the real server, for the tests of chat back ends.

It takes, refuses and repeats as the contract says (`garim.testing.contract` runs against it and against the
real one) and shows what it was given, which the real one never could. It misbehaves on demand. It has no
custody, so that no scope ticket is good here.
"""

from __future__ import annotations

import datetime as dt
import functools
import io
import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn, Self

import grpc
from google.protobuf.message import DecodeError

from garim.api.messages.v1 import messages_pb2 as pb
from garim.api.messages.v1.messages_pb2_grpc import (
    MessageStoreServiceServicer,
    add_MessageStoreServiceServicer_to_server,
)
from garim.kit.clock import Clock, SystemClock
from garim.kit.convert import envelope_from
from garim.kit.identity import dns_name, peer_of
from garim.kit.server import MeshServer
from garim.kit.settings import ServiceSettings
from garim.kit.telemetry import Telemetry
from garim.sdk import TlsPaths
from garim.statements import roster
from garim.statements.refusal import Kind, RefusedError
from garim.statements.scope import ScopeTicket
from garim.testing import pki

MAX_MESSAGES = 5_000
MAX_ROSTERS = 1_000
MAX_TEXT_BYTES = 1024 * 1024
MAX_FUTURE_MS = 300_000
_KINDS = {pb.SEGMENT_KIND_MESSAGES, pb.SEGMENT_KIND_OPAQUE}


class FakeStore(MessageStoreServiceServicer):
    """The store's RPCs over dictionaries.

    Args:
        mesh: Name of the mesh.
        clock: Its time.

    Attributes:
        calls: How often each RPC was called.
    """

    def __init__(self, mesh: str, clock: Clock) -> None:
        self._mesh = mesh
        self._clock = clock
        self._lock = threading.Lock()
        self._epoch = secrets.token_bytes(16)
        self._rosters: dict[tuple[str, bytes], frozenset[str]] = {}
        self._batches: dict[tuple[str, bytes], tuple[pb.AppendMessagesRequest, pb.Accepted]] = {}
        self._refusals: list[RefusedError] = []
        self._lost = 0
        self.calls: Counter[str] = Counter()

    def messages(self, conversation: str) -> list[pb.ChatMessage]:
        """Return what was stored of a conversation, in the order of storing."""
        with self._lock:
            return [
                message
                for request, _ in self._batches.values()
                for part in request.conversations
                if part.conversation_id == conversation
                for message in _messages_of(part, "")
            ]

    def refuse_next(self, *reasons: str, kind: Kind = Kind.UNAVAILABLE) -> None:
        """Refuse as many of the next calls, with these reasons in turn; `STORE_BUSY` is what a store says."""
        with self._lock:
            self._refusals += [RefusedError(one, "refused on demand", kind=kind) for one in reasons]

    def lose_answers(self, count: int) -> None:
        """Store the next batches and lose the answers, as a network does."""
        with self._lock:
            self._lost += count

    def begin_epoch(self) -> None:
        """Begin another epoch: every roster is unknown again."""
        with self._lock:
            self._epoch = secrets.token_bytes(16)
            self._rosters.clear()

    def AppendMessages(  # noqa: N802 - the name of the RPC
        self, request: pb.AppendMessagesRequest, context: grpc.ServicerContext
    ) -> pb.AppendMessagesResponse:
        """Store a batch."""
        producer = peer_of(context, self._mesh).id
        with self._lock:
            self._begin("AppendMessages")
            senders = self._checked(request)
            before = self._batches.get((producer, request.batch_id))
            if before is not None:
                return _repeated(before, request)
            unknown = [
                position
                for position, part in enumerate(request.conversations)
                if (part.conversation_id, part.roster_digest) not in self._rosters
            ]
            if unknown:
                return pb.AppendMessagesResponse(rosters_unknown=pb.RostersUnknown(positions=unknown))
            for position, (part, sent) in enumerate(zip(request.conversations, senders, strict=True)):
                if not sent <= self._rosters[part.conversation_id, part.roster_digest]:
                    raise RefusedError(
                        "MESSAGE_SENDER", "a sender is not in the roster", field=f"conversations[{position}]"
                    )
            accepted = pb.Accepted(epoch_id=self._epoch, received_at_ms=self._clock.now_ms())
            self._batches[producer, request.batch_id] = (request, accepted)
            if self._lost:
                self._lost -= 1
                raise RefusedError("STORE_BUSY", "the answer is lost on demand", kind=Kind.UNAVAILABLE)
            return pb.AppendMessagesResponse(accepted=accepted)

    def PutRosters(  # noqa: N802 - the name of the RPC
        self, request: pb.PutRostersRequest, _context: grpc.ServicerContext
    ) -> pb.PutRostersResponse:
        """Keep rosters."""
        with self._lock:
            self._begin("PutRosters")
            if not 0 < len(request.rosters) <= MAX_ROSTERS:
                reason = "ROSTER_TOO_LARGE" if request.rosters else "ROSTER_EMPTY"
                raise RefusedError(reason, f"send 1 to {MAX_ROSTERS} rosters", field="rosters")
            digests = [_digest(one, f"rosters[{at}]") for at, one in enumerate(request.rosters)]
            for one, digest in zip(request.rosters, digests, strict=True):
                accounts = frozenset(member.account for member in one.members)
                self._rosters[one.conversation_id, digest] = accounts
            return pb.PutRostersResponse(digests=digests)

    def ForecastScope(  # noqa: N802 - the name of the RPC
        self, request: pb.ForecastScopeRequest, _context: grpc.ServicerContext
    ) -> NoReturn:
        """Refuse: there is no custody whose ticket could be good."""
        self._no_ticket(request)

    def ReadSegments(  # noqa: N802 - the name of the RPC
        self, request: pb.ReadSegmentsRequest, _context: grpc.ServicerContext
    ) -> Iterator[pb.ReadSegmentsResponse]:
        """Refuse: there is no custody whose ticket could be good."""
        if getattr(request, "pass") not in {pb.READ_PASS_ROSTERS, pb.READ_PASS_SEGMENTS}:
            raise RefusedError("READ_PASS", "must say which pass it is", field="pass")
        self._no_ticket(request)

    def _no_ticket(self, request: pb.ForecastScopeRequest | pb.ReadSegmentsRequest) -> NoReturn:
        ScopeTicket.verify(envelope_from(request.ticket), (), mesh=self._mesh, now=self._clock.now_ms())
        raise RefusedError("STATEMENT_SIGNATURE", "no custody signs for this store", kind=Kind.FORBIDDEN)

    def _begin(self, rpc: str) -> None:
        self.calls[rpc] += 1
        if self._refusals:
            raise self._refusals.pop(0)

    def _checked(self, request: pb.AppendMessagesRequest) -> list[set[str]]:
        """Return who sent something in each conversation, once all is as it must be."""
        if len(request.batch_id) != 16:
            raise RefusedError("BATCH_FIELD", "must be 16 bytes", field="batch_id")
        if not request.conversations:
            raise RefusedError("BATCH_EMPTY", "the batch holds no message", field="conversations")
        latest_ms = self._clock.now_ms() + MAX_FUTURE_MS
        total = 0
        senders: list[set[str]] = []
        for position, part in enumerate(request.conversations):
            path = f"conversations[{position}]"
            messages = _messages_of(part, path)
            total += len(messages)
            if total > MAX_MESSAGES:
                raise RefusedError("BATCH_TOO_LARGE", "split it", field="conversations")
            for at, message in enumerate(messages):
                _check_message(message, part.kind, latest_ms, f"{path}.messages[{at}]")
            senders.append({message.sender for message in messages} - {""})
        return senders


class ServedStore:
    """A `FakeStore` on a free port of 127.0.0.1, with throwaway certificates; use it as a context manager.

    Args:
        folder: Where the certificates are written; new or empty.
        mesh: Name of the mesh.

    Attributes:
        store: What was stored, and how it misbehaves.
        mesh: Name of the mesh.
        address: `host:port`.
    """

    def __init__(self, folder: Path, mesh: str = "test.example") -> None:
        clock = SystemClock()
        self.mesh = mesh
        self.store = FakeStore(mesh, clock)
        self._folder = folder
        self._pki = pki.make_mesh(mesh, dt.datetime.now(dt.UTC))
        self._issue("service/messages", "served")
        own = folder.absolute() / "served"
        settings = ServiceSettings.model_validate(
            {
                "mesh": mesh,
                "governance_genesis": "00" * 32,
                "listen": "127.0.0.1:0",
                "health_listen": "127.0.0.1:0",
                "drain_s": 1,
                "tls": {
                    "certificate": str(own / "tls.pem"),
                    "key": str(own / "tls.key"),
                    "trust": str(own / "ca.pem"),
                },
            },
            context={"folder": own},
        )
        register = functools.partial(add_MessageStoreServiceServicer_to_server, self.store)
        telemetry = Telemetry("messages", clock, stream=io.StringIO())
        self._server = MeshServer(settings, [register], clock=clock, telemetry=telemetry)
        self.address = f"127.0.0.1:{self._server.port}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.drain()

    def identity(self, path: str = "backend/chat") -> TlsPaths:
        """Return the files of a fresh certificate: of the back end `chat`, or of whom `path` names."""
        return self._issue(path, path.replace("/", "-"))

    def _issue(self, path: str, name: str) -> TlsPaths:
        kind, _, service = path.partition("/")
        # A service's certificate carries this name beside its SPIFFE id; nobody else's may.
        dns = ["localhost", *([dns_name(self.mesh, service)] if kind == "service" else [])]
        folder = self._folder / name
        pki.write_identity(folder, "tls", self._pki.issue(path, dns=dns), self._pki.ca)
        return TlsPaths(folder / "tls.pem", folder / "tls.key", folder / "ca.pem")


def _messages_of(part: pb.ConversationBatch, path: str) -> list[pb.ChatMessage]:
    if not part.conversation_id or len(part.roster_digest) != 32 or part.kind not in _KINDS:
        raise RefusedError("BATCH_FIELD", "must name conversation, roster and kind", field=path)
    if part.block and part.messages:
        raise RefusedError("BATCH_FIELD", "send messages or their block, not both", field=f"{path}.block")
    try:
        messages = [*part.messages, *pb.MessageBlock.FromString(part.block).messages]
    except DecodeError:
        raise RefusedError("BATCH_FIELD", "is no serialised MessageBlock", field=f"{path}.block") from None
    if not messages:
        raise RefusedError("BATCH_EMPTY", "the conversation holds no message", field=f"{path}.messages")
    return messages


def _check_message(message: pb.ChatMessage, kind: int, latest_ms: int, path: str) -> None:
    if not 0 < message.sent_at_ms <= latest_ms:
        raise RefusedError(
            "MESSAGE_TIME", "sent-at is missing or lies in the future", field=f"{path}.sent_at_ms"
        )
    if kind == pb.SEGMENT_KIND_OPAQUE:
        if not message.opaque or message.sender or message.text or message.kind:
            raise RefusedError("MESSAGE_FIELD", "only time and opaque block are allowed", field=path)
        return
    if not message.sender:
        raise RefusedError("MESSAGE_SENDER", "the sender is missing", field=f"{path}.sender")
    if not message.kind or message.opaque or len(message.text) > MAX_TEXT_BYTES:
        raise RefusedError("MESSAGE_FIELD", "must name its kind and hold no opaque block", field=path)


def _repeated(
    before: tuple[pb.AppendMessagesRequest, pb.Accepted], request: pb.AppendMessagesRequest
) -> pb.AppendMessagesResponse:
    stored, accepted = before
    if stored == request:
        return pb.AppendMessagesResponse(accepted=accepted)
    count = _count(stored)
    if request.resumable and count != _count(request):
        return pb.AppendMessagesResponse(stored_before=pb.StoredBefore(messages=count))
    raise RefusedError(
        "BATCH_CHANGED",
        "another content was stored under this batch id: take a new id",
        kind=Kind.EXISTS,
        field="batch_id",
    )


def _count(request: pb.AppendMessagesRequest) -> int:
    return sum(len(_messages_of(part, "")) for part in request.conversations)


def _digest(one: pb.Roster, path: str) -> bytes:
    if not one.conversation_id:
        raise RefusedError("ROSTER_MEMBER", "must not be empty", field=f"{path}.conversation_id")
    members = [
        roster.RosterMember(it.account, tuple(it.names), tuple(it.phones), tuple(it.emails))
        for it in one.members
    ]
    try:
        return roster.digest(roster.canonical(one.conversation_id, one.title, members))
    except RefusedError as refusal:
        raise RefusedError(refusal.reason, refusal.message, field=f"{path}.{refusal.field}") from None
