"""A chat back end that hands messages in all the time, whatever happens to the mesh."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from typing import Self

from faults_support.mesh import FaultMesh
from garim.cli.mesh_plan import BACKEND
from garim.kit.clock import SystemClock
from garim.sdk import GarimStore, Member, Message, Producer, Roster, TlsPaths
from mesh_support.live import until

PAUSE_S = 0.02
ROOMS = 4
ACKNOWLEDGED_WITHIN_S = 180.0
_TEXTS = ("오늘은 어디서 볼까", "그건 내일 정하자", "좋아, 그렇게 하자", "아직 모르겠어")


@dataclass
class Block:
    """Messages of conversations that share a subject, which one disclosure covers.

    Attributes:
        number: Its number.
        sent: When each message was sent, in milliseconds since 1970; no two at the same time.
    """

    number: int
    sent: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        others = ("가람", "다온")
        self.rosters = [
            Roster(
                f"faults:{self.number}:room-{room}",
                [Member(self.subject, ["나루"])]
                + [Member(f"faults:{self.number}:{room}-{name}", [f"유{name}"]) for name in others],
            )
            for room in range(ROOMS)
        ]

    @property
    def subject(self) -> str:
        """The account that is in every one of its conversations."""
        return f"faults:{self.number}:subject"


class Ingest:
    """Puts a message every few milliseconds and follows what is acknowledged.

    Args:
        mesh: Where to.

    Attributes:
        longest_gap_s: Longest time between two acknowledgements.
    """

    def __init__(self, mesh: FaultMesh) -> None:
        folder = mesh.places.people / f"backend-{BACKEND}"
        tls = TlsPaths(folder / "tls.pem", folder / "tls.key", folder / "ca.pem")
        self._store = GarimStore(mesh.file.addresses["messages"], mesh=mesh.file.mesh, tls=tls, timeout_s=10)
        self._producer = Producer(
            self._store, stream="faults", batch_size=25, batch_ms=100, queue_size=2_000, give_up_s=None
        )
        self._clock = SystemClock()
        self._lock = threading.Lock()
        self._block = Block(0)
        self._position = 0
        self._last_ms = 0
        self._stopping = threading.Event()
        self.longest_gap_s = 0.0
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="back end", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        with contextlib.suppress(Exception):
            self._producer.close(timeout_s=5)
        self._store.close()

    @property
    def acknowledged(self) -> int:
        """How many messages are acknowledged."""
        last = self._producer.acknowledged()
        return last if isinstance(last, int) else 0

    def turn(self) -> Block:
        """Begin a new block; return the one before once every message of it is acknowledged."""
        with self._lock:
            block, self._block = self._block, Block(self._block.number + 1)
            last = self._position
        self.await_acknowledged(last)
        return block

    def await_success(self) -> float:
        """Wait until a message put after this call is acknowledged; return how long it took, in seconds."""
        begun = time.monotonic()
        with self._lock:
            last = self._position
        self.await_acknowledged(last + 1)
        return time.monotonic() - begun

    def await_acknowledged(self, position: int) -> None:
        """Wait until all messages up to a position are acknowledged."""

        def done() -> bool:
            if self.failure is not None:
                raise self.failure
            return self.acknowledged >= position

        until(done, ACKNOWLEDGED_WITHIN_S)

    def _run(self) -> None:
        known, known_at = 0, time.monotonic()
        try:
            while not self._stopping.wait(PAUSE_S):
                self._put()
                now = time.monotonic()
                if (acknowledged := self.acknowledged) != known:
                    self.longest_gap_s = max(self.longest_gap_s, now - known_at)
                    known, known_at = acknowledged, now
        except BaseException as error:  # noqa: BLE001 - whoever waits for an acknowledgement raises it
            self.failure = error

    def _put(self) -> None:
        with self._lock:
            block = self._block
            self._position += 1
            position = self._position
            self._last_ms = max(self._last_ms + 1, self._clock.now_ms())
            sent_ms = self._last_ms
            block.sent.append(sent_ms)
        roster = block.rosters[position % ROOMS]
        sender = roster.members[position // ROOMS % len(roster.members)].account
        self._producer.put(roster, Message(sent_ms, sender, _TEXTS[position % len(_TEXTS)]), position)
