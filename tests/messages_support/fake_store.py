"""A store in memory, as an sdk producer sees it, that misbehaves on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from garim.api.messages.v1 import messages_pb2 as pb
from garim.sdk import GarimError, Roster, StoreRefusedError


def messages_of(part: pb.ConversationBatch) -> list[pb.ChatMessage]:
    """Return what a part holds, whichever way it is written."""
    return [*part.messages, *pb.MessageBlock.FromString(part.block).messages]


def _count(request: pb.AppendMessagesRequest) -> int:
    return sum(len(messages_of(part)) for part in request.conversations)


class FakeStore:
    """Keeps batches by id; answers with the queued failures first."""

    def __init__(self) -> None:
        self.failures: list[GarimError] = []
        self.lost_answers: list[GarimError] = []
        self.rosters: set[bytes] = set()
        self.batches: dict[bytes, pb.AppendMessagesRequest] = {}
        self.calls: list[bytes] = []
        self.put_calls = 0
        self._pool = ThreadPoolExecutor(1)
        self.gate = threading.Event()
        self.gate.set()

    def begin(
        self, request: pb.AppendMessagesRequest, answered: Callable[[], None]
    ) -> Callable[[], pb.AppendMessagesResponse]:
        call = self._pool.submit(self.append, request)
        call.add_done_callback(lambda _call: answered())
        return call.result

    def append(self, request: pb.AppendMessagesRequest) -> pb.AppendMessagesResponse:
        self.gate.wait(10)
        self.calls.append(request.batch_id)
        if self.failures:
            raise self.failures.pop(0)
        unknown = [
            position
            for position, one in enumerate(request.conversations)
            if one.roster_digest not in self.rosters
        ]
        if unknown:
            return pb.AppendMessagesResponse(rosters_unknown=pb.RostersUnknown(positions=unknown))
        before = self.batches.get(request.batch_id)
        if before is not None and before != request:
            stored, sent = _count(before), _count(request)
            if not request.resumable or stored == sent:
                raise StoreRefusedError("BATCH_CHANGED", "another content was stored under this batch id")
            return pb.AppendMessagesResponse(stored_before=pb.StoredBefore(messages=stored))
        self.batches[request.batch_id] = request
        if self.lost_answers:
            raise self.lost_answers.pop(0)
        return pb.AppendMessagesResponse(accepted=pb.Accepted(epoch_id=bytes(16), received_at_ms=1))

    def put_rosters(self, rosters: Iterable[Roster]) -> None:
        self.put_calls += 1
        self.rosters |= {one.digest for one in rosters}

    def texts(self, conversation: str) -> list[str]:
        return [
            message.text
            for batch in self.batches.values()
            for part in batch.conversations
            if part.conversation_id == conversation
            for message in messages_of(part)
        ]
