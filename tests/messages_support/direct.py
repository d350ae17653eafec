"""A real store in this process as the sdk's producers see it, behind a wire that misbehaves on demand."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum, auto
from typing import TypeVar

from garim.api.messages.v1 import messages_pb2 as pb
from garim.messages.servicer import append_response
from garim.sdk import Roster, StoreRefusedError, StoreUnavailableError
from garim.statements.refusal import Kind, RefusedError
from messages_support.store import PRODUCER, StoreWorld

AWAY = StoreUnavailableError("GRPC_UNAVAILABLE", "away")
DIED = StoreRefusedError("DIED", "the producer's process died here")
T = TypeVar("T")
TRANSIENT = {Kind.UNAVAILABLE, Kind.EXHAUSTED}


class Fate(Enum):
    """What becomes of one call."""

    ANSWERED = auto()
    NEVER_ARRIVES = auto()
    ANSWER_LOST = auto()
    DIES_BEFORE = auto()
    DIES_BEHIND = auto()


class DirectStore:
    """Calls the store of a world; `fates` are those of the next calls, all others are answered."""

    def __init__(self, world: StoreWorld, producer: str = PRODUCER) -> None:
        self.world = world
        self.producer = producer
        self.fates: deque[Fate] = deque()
        self.seen: list[pb.AppendMessagesRequest] = []
        self.refused: list[str] = []
        self._pool = ThreadPoolExecutor(1)

    def begin(
        self, request: pb.AppendMessagesRequest, answered: Callable[[], None]
    ) -> Callable[[], pb.AppendMessagesResponse]:
        call = self._pool.submit(self.append, request)
        call.add_done_callback(lambda _call: answered())
        return call.result

    def append(self, request: pb.AppendMessagesRequest) -> pb.AppendMessagesResponse:
        fate = self.fates.popleft() if self.fates else Fate.ANSWERED
        if fate is Fate.DIES_BEFORE:
            raise DIED
        if fate is Fate.NEVER_ARRIVES:
            raise AWAY
        # What was sent is what arrives: the producer's object may change behind it.
        arrived = pb.AppendMessagesRequest.FromString(request.SerializeToString())
        self.seen.append(arrived)
        answer = append_response(self._call(lambda: self.world.store.append(self.producer, arrived)))
        if answer.WhichOneof("result") != "accepted" or fate is Fate.ANSWERED:
            return answer
        raise DIED if fate is Fate.DIES_BEHIND else AWAY

    def put_rosters(self, rosters: Iterable[Roster]) -> None:
        self._call(lambda: self.world.store.put_rosters([one.to_proto() for one in rosters]))

    def close(self) -> None:
        self._pool.shutdown()

    def _call(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except RefusedError as error:
            self.refused.append(error.reason)
            kind = StoreUnavailableError if error.kind in TRANSIENT else StoreRefusedError
            raise kind(error.reason, error.message, retry_after_s=error.retry_after_s) from None
