"""Cases of several calls: what is stored, once, unchanged, or not at all.

Conversations, accounts and batch ids are drawn anew and begin with `contract-`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from google.protobuf import descriptor

from garim.api.audit.v1 import audit_pb2
from garim.api.messages.v1 import messages_pb2 as pb
from garim.statements import roster
from garim.testing.contract.calls import SERVICES, Callers
from garim.testing.contract.cases import NO_TIME, NO_TIME_S, OK, Facts


class _Broken(Exception):  # noqa: N818 - it is the contract that is broken
    """Something was otherwise than the contract says."""


@dataclass(frozen=True, slots=True)
class Story:
    """A case of several calls.

    Attributes:
        method: The RPC it is about.
        name: What it shows.
        role: Who calls.
        plot: Makes the calls.
        writes: Whether the server stores something.
    """

    method: descriptor.MethodDescriptor
    name: str
    role: str
    plot: Callable[[Callers, Facts], None]
    writes: bool = True

    @property
    def label(self) -> str:
        """Name of RPC, case and caller."""
        return f"{self.method.containing_service.name}.{self.method.name} {self.name} as {self.role}"

    def tell(self, callers: Callers, facts: Facts) -> str:
        """Make the calls; return what was otherwise than the contract says."""
        try:
            self.plot(callers, facts)
        except _Broken as broken:
            return str(broken)
        return ""


def stories_of(service: str) -> list[Story]:
    """Return the stories of a service."""
    return [
        Story(SERVICES[service].methods_by_name[rpc], name, role, plot)
        for of, rpc, name, role, plot in _STORIES
        if of == service
    ]


class _Room:
    """A conversation of one account that nobody has used."""

    def __init__(self, callers: Callers, facts: Facts) -> None:
        self.callers, self.facts = callers, facts
        self.name = f"contract-{facts.random_bytes(8).hex()}"
        self.account = f"contract-{facts.random_bytes(8).hex()}"
        self.digest = roster.digest(roster.canonical(self.name, "", [roster.RosterMember(self.account, ())]))

    def put(self) -> None:
        wanted = pb.Roster(conversation_id=self.name, members=[pb.Member(account=self.account)])
        outcome = self._call("PutRosters", pb.PutRostersRequest(rosters=[wanted]).SerializeToString())
        digests = pb.PutRostersResponse.FromString(outcome).digests
        _demand(list(digests) == [self.digest], "the roster's digest is not that of its canonical form")

    def batch(
        self, *texts: str, batch: bytes = b"", sender: str = "", resumable: bool = False, later_ms: int = 0
    ) -> pb.AppendMessagesRequest:
        messages = [
            pb.ChatMessage(
                sent_at_ms=self.facts.now_ms + later_ms,
                sender=sender or self.account,
                kind=pb.MESSAGE_KIND_TEXT,
                text=text,
            )
            for text in texts
        ]
        part = pb.ConversationBatch(
            conversation_id=self.name,
            roster_digest=self.digest,
            kind=pb.SEGMENT_KIND_MESSAGES,
            messages=messages,
        )
        return pb.AppendMessagesRequest(
            batch_id=batch or self.facts.random_bytes(16), conversations=[part], resumable=resumable
        )

    def append(self, request: pb.AppendMessagesRequest) -> pb.AppendMessagesResponse:
        return pb.AppendMessagesResponse.FromString(self._call("AppendMessages", request.SerializeToString()))

    def refused(
        self, expected: tuple[str, ...], request: pb.AppendMessagesRequest, timeout_s: float = 30.0
    ) -> None:
        method = SERVICES["messages"].methods_by_name["AppendMessages"]
        outcome = self.callers.call(method, "backend", request.SerializeToString(), timeout_s)
        _demand(str(outcome) in expected, f"expected {' or '.join(expected)}, got {outcome}")

    def _call(self, rpc: str, request: bytes) -> bytes:
        return _answer(self.callers, "messages", rpc, "backend", request)


def _stored_once(callers: Callers, facts: Facts) -> None:
    room = _Room(callers, facts)
    request = room.batch("one", "two")
    unknown = room.append(request)
    _demand(list(unknown.rosters_unknown.positions) == [0], "a roster that nobody put is not asked for")
    room.put()
    room.put()
    first, second = room.append(request), room.append(request)
    _demand(first.WhichOneof("result") == "accepted", "the batch is not accepted")
    _demand(first == second, "the same batch sent again is answered otherwise")
    room.refused(("ALREADY_EXISTS BATCH_CHANGED",), room.batch("one", "three", batch=request.batch_id))


def _resumed(callers: Callers, facts: Facts) -> None:
    room = _Room(callers, facts)
    room.put()
    request = room.batch("one", "two", resumable=True)
    room.append(request)
    longer = room.append(room.batch("one", "two", "three", batch=request.batch_id, resumable=True))
    _demand(
        longer.stored_before.messages == 2, "a resumable batch cut elsewhere is not told where it was cut"
    )


def _no_time(callers: Callers, facts: Facts) -> None:
    room = _Room(callers, facts)
    room.put()
    request = room.batch("one")
    room.refused(NO_TIME, request, NO_TIME_S)
    other = room.append(room.batch("two", "three", batch=request.batch_id))
    _demand(other.WhichOneof("result") == "accepted", "a call without time was stored")


def _no_member(callers: Callers, facts: Facts) -> None:
    room = _Room(callers, facts)
    room.put()
    room.refused(("INVALID_ARGUMENT MESSAGE_SENDER",), room.batch("one", sender="contract-nobody"))


def _malformed(callers: Callers, facts: Facts) -> None:
    room = _Room(callers, facts)
    room.put()
    room.refused(("INVALID_ARGUMENT MESSAGE_TIME",), room.batch("one", later_ms=30 * 86_400_000))
    for reason, path, value in (
        ("MESSAGE_TIME", "sent_at_ms", 0),
        ("MESSAGE_SENDER", "sender", ""),
        ("MESSAGE_FIELD", "kind", 0),
        ("MESSAGE_FIELD", "opaque", b"x"),
    ):
        request = room.batch("one")
        setattr(request.conversations[0].messages[0], path, value)
        room.refused((f"INVALID_ARGUMENT {reason}",), request)
    for reason, path, value in (
        ("BATCH_FIELD", "conversation_id", ""),
        ("BATCH_FIELD", "roster_digest", b"x"),
        ("BATCH_FIELD", "kind", 0),
        ("BATCH_FIELD", "block", b"x"),
    ):
        request = room.batch("one")
        setattr(request.conversations[0], path, value)
        room.refused((f"INVALID_ARGUMENT {reason}",), request)


def _too_many(callers: Callers, facts: Facts) -> None:
    room = _Room(callers, facts)
    room.refused(("INVALID_ARGUMENT BATCH_TOO_LARGE",), room.batch(*["x"] * 5_001))


def _rosters(callers: Callers, facts: Facts) -> None:
    method = SERVICES["messages"].methods_by_name["PutRosters"]
    name = f"contract-{facts.random_bytes(8).hex()}"
    twice = [pb.Member(account="contract-1"), pb.Member(account="contract-1")]
    for expected, rosters in (
        ("ROSTER_EMPTY", [pb.Roster(conversation_id=name)]),
        ("ROSTER_MEMBER", [pb.Roster(members=twice[:1])]),
        ("ROSTER_MEMBER", [pb.Roster(conversation_id=name, members=twice)]),
        ("ROSTER_MEMBER", [pb.Roster(conversation_id=name, members=[pb.Member()])]),
        ("ROSTER_TOO_LARGE", [pb.Roster(conversation_id=name, members=twice[:1])] * 1_001),
    ):
        request = pb.PutRostersRequest(rosters=rosters).SerializeToString()
        outcome = callers.call(method, "backend", request)
        _demand(str(outcome) == f"INVALID_ARGUMENT {expected}", f"expected {expected}, got {outcome}")


def _logged_once(callers: Callers, facts: Facts) -> None:
    request = audit_pb2.AppendEntryRequest(
        type="contract-probe", commitment=facts.random_bytes(32), time_ms=facts.now_ms
    ).SerializeToString()
    first, second = (
        audit_pb2.AppendEntryResponse.FromString(
            _answer(callers, "audit", "AppendEntry", "service/warrants", request)
        )
        for _ in range(2)
    )
    _demand((first.leaf, first.index) == (second.leaf, second.index), "one entry was appended twice")
    listed = audit_pb2.ListEntriesRequest(start=first.index, page_size=1).SerializeToString()
    answer = _answer(callers, "audit", "ListEntries", "person/auditor", listed)
    _demand(
        list(audit_pb2.ListEntriesResponse.FromString(answer).leaves) == [first.leaf],
        "the entry does not stand where its proof says",
    )


def _answer(callers: Callers, service: str, rpc: str, role: str, request: bytes) -> bytes:
    outcome = callers.call(SERVICES[service].methods_by_name[rpc], role, request)
    _demand(str(outcome) == OK, f"{rpc}: expected {OK}, got {outcome}")
    return outcome.answers[0]


def _demand(held: bool, otherwise: str) -> None:
    if not held:
        raise _Broken(otherwise)


_STORIES = (
    ("messages", "AppendMessages", "stored once", "backend", _stored_once),
    ("messages", "AppendMessages", "resumed", "backend", _resumed),
    ("messages", "AppendMessages", "no time, nothing stored", "backend", _no_time),
    ("messages", "AppendMessages", "sender outside the roster", "backend", _no_member),
    ("messages", "AppendMessages", "malformed fields", "backend", _malformed),
    ("messages", "AppendMessages", "too many messages", "backend", _too_many),
    ("messages", "PutRosters", "malformed rosters", "backend", _rosters),
    ("audit", "AppendEntry", "logged once", "service/warrants", _logged_once),
)
