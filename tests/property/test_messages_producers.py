"""Whatever dies, is lost or comes twice between producers and the store: everything once, in its order."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from garim.sdk import GarimError, Member, Message, Producer, Roster
from messages_support.direct import DirectStore, Fate
from messages_support.store import NOW_MS, StoreWorld

MEMBERS = [Member("acct-1", names=["다온"]), Member("acct-2", names=["가람"])]
SHARED = "방-함께"
PASSING = [Fate.ANSWERED, Fate.NEVER_ARRIVES, Fate.ANSWER_LOST]


class Backend:
    """A back end with one queue: what is put into its producer, from where it goes on after a death."""

    def __init__(self, world: StoreWorld, name: str) -> None:
        self.name = name
        self.store = DirectStore(world)
        self.rooms = [Roster(f"방-{name}", MEMBERS), Roster(SHARED, MEMBERS)]
        self.queue: list[tuple[Roster, Message]] = []
        # The back end's own record of how far it came, and the next of the queue to be put.
        self.saved = -1
        self.next = 0
        self.producer: Producer | None = None

    def running(self, batch_size: int) -> Producer:
        """Return the producer, started anew behind what was saved where there is none."""
        if self.producer is None:
            self.next = self.saved + 1
            self.producer = Producer(
                self.store,
                stream=self.name,
                batch_size=batch_size,
                batch_ms=60_000,
                queue_size=1_000,
                give_up_s=None,
                sleep=lambda _: None,
            )
        return self.producer

    def write(self, room: int, count: int) -> None:
        """Let messages come into the queue."""
        for _ in range(count):
            number = len(self.queue)
            sent = Message(NOW_MS - 60_000 + number, f"acct-{1 + number % 2}", f"{self.name} {number}")
            self.queue.append((self.rooms[room], sent))

    def send(self, batch_size: int, fates: list[Fate]) -> None:
        """Send what has come; where the process dies, the producer is gone."""
        producer = self.running(batch_size)
        self.store.fates.extend(fates)
        try:
            for position in range(self.next, len(self.queue)):
                producer.put(*self.queue[position], position)
            self.next = len(self.queue)
            producer.flush()
        except GarimError as error:
            if error.reason != "DIED":
                raise
            with contextlib.suppress(GarimError):
                producer.close()
            self.producer = None
        self.store.fates.clear()

    def save(self) -> None:
        """Write down how far the producer came."""
        known = self.producer.acknowledged() if self.producer else None
        if isinstance(known, int):
            self.saved = known

    def end(self) -> None:
        """Send all that is left, with nothing in the way."""
        self.send(7, [])
        if self.producer is not None:
            self.producer.close()
        self.store.close()


class ProducersAndStore(RuleBasedStateMachine):
    """Two back ends of one name write into rooms of their own and into one that they share."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world = StoreWorld(Path(self.folder.name))
        self.backends = [Backend(self.world, name) for name in ("가", "나")]

    @rule(who=st.integers(0, 1), room=st.integers(0, 1), count=st.integers(1, 9))
    def messages_come(self, who: int, room: int, count: int) -> None:
        self.backends[who].write(room, count)

    @rule(
        who=st.integers(0, 1), size=st.integers(1, 6), fates=st.lists(st.sampled_from(list(Fate)), max_size=4)
    )
    def they_are_sent(self, who: int, size: int, fates: list[Fate]) -> None:
        self.backends[who].send(size, fates)

    @rule(who=st.integers(0, 1))
    def progress_is_saved(self, who: int) -> None:
        self.backends[who].save()

    @rule()
    def the_store_starts_again(self) -> None:
        self.world.start()

    @rule(data=st.data())
    def a_late_copy_of_a_batch_arrives(self, data: st.DataObject) -> None:
        seen = [(one, request) for one in self.backends for request in one.store.seen]
        if seen:
            backend, request = data.draw(st.sampled_from(seen))
            self.world.store.append(backend.store.producer, request)

    @invariant()
    def what_is_acknowledged_is_stored(self) -> None:
        for one in self.backends:
            known = one.producer.acknowledged() if one.producer else None
            if isinstance(known, int):
                texts = set(self.stored(one.rooms[0].conversation) + self.stored(SHARED))
                assert {message.text for _, message in one.queue[: known + 1]} <= texts

    def stored(self, conversation: str) -> list[str]:
        found = self.world.messages(self.world.custody.ticket(("account", "acct-1")))
        mine = {
            message.text
            for backend in self.backends
            for room, message in backend.queue
            if room.conversation == conversation
        }
        return [one.text for one in found if one.text in mine]

    def teardown(self) -> None:
        for one in self.backends:
            one.end()
        for one in self.backends:
            for room in one.rooms:
                expected = [message.text for own, message in one.queue if own is room]
                stored = [text for text in self.stored(room.conversation) if text.startswith(one.name)]
                assert stored == expected
        self.world.close()
        self.folder.cleanup()


ProducersAndStore.TestCase.settings = settings(
    max_examples=15, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)
)
TestProducersAndStore = ProducersAndStore.TestCase
