"""A store in memory, as an sdk producer sees it, that misbehaves on demand."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from garim.api.messages.v1 import messages_pb2 as pb
from garim.sdk import GarimError, Roster


def messages_of(part: pb.ConversationBatch) -> list[pb.ChatMessage]:
    """Return what a part holds, whichever way it is written."""
    return [*part.messages, *pb.MessageBlock.FromString(part.block).messages]


class FakeStore:
    """Keeps batches by id; answers with the queued failures first."""

    def __init__(self) -> None:
        self.failures: list[GarimError] = []
        self.lost_answers: list[GarimError] = []
        self.rosters: set[bytes] = set()
        self.batches: dict[bytes, pb.AppendMessagesRequest] = {}
        self.calls: list[bytes] = []
        self.put_calls = 0
        self.gate = threading.Event()
        self.gate.set()

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
        if request.batch_id in self.batches:
            assert self.batches[request.batch_id] == request
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
