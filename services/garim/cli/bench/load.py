"""Messages to store: rosters, batches, and the same messages as plaintext rows."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from typing import NamedTuple

from garim.api.messages.v1 import messages_pb2 as pb
from garim.sdk import Member, Roster
from garim.sdk.batches import Pending, make_batch
from garim.sdk.model import Message

BATCH = 1_000
SUBJECT = "bench:subject"
HOUR_MS = 3_600_000

COLUMNS = ("room", "sender", "sent", "kind", "text")
PlainRow = tuple[str, str, int, int, str]


class Load(NamedTuple):
    """Messages, ready to be sent.

    Attributes:
        rosters: Of the conversations; the subject is in every one.
        messages: Roster and message, in the order they are sent.
        start_ms: When the first was sent, milliseconds since 1970.
    """

    rosters: list[Roster]
    messages: list[Pending]
    start_ms: int

    @property
    def period(self) -> tuple[int, int]:
        """First millisecond in which a message was sent, and the first behind the last."""
        return self.start_ms, self.messages[-1].message.sent_at_ms + 1

    def slices(self) -> Iterator[list[Pending]]:
        """Yield the messages batch by batch."""
        for first in range(0, len(self.messages), BATCH):
            yield self.messages[first : first + BATCH]

    def requests(self) -> list[pb.AppendMessagesRequest]:
        """Return the batches, each under a fresh id."""
        return [make_batch(part, secrets.token_bytes(16)).request for part in self.slices()]

    def rows(self) -> list[list[PlainRow]]:
        """Return the same batches as plaintext rows."""
        kind = pb.MESSAGE_KIND_TEXT
        return [
            [
                (one.roster.conversation, one.message.sender, one.message.sent_at_ms, kind, one.message.text)
                for one in part
            ]
            for part in self.slices()
        ]


def make_load(
    messages: int, conversations: int, members: int, source: Iterator[str], now_ms: int, *, seed: int = 1
) -> Load:
    """Return messages spread at random, evenly, over conversations; a millisecond between two.

    Args:
        messages: How many.
        conversations: How many.
        members: Of each conversation, the subject among them.
        source: Texts.
        now_ms: The present; the last message was sent a minute or more before it.
        seed: Of the spread; loads of different seeds share no conversation.
    """
    drawn = random.Random(seed)  # noqa: S311 - a load that can be repeated, no secret
    rosters = [
        Roster(
            f"bench:{seed}:room-{room}",
            [Member(SUBJECT, ["대상"])]
            + [Member(f"bench:{seed}:{room}-{one}", [f"벤치{room}번{one}"]) for one in range(members - 1)],
        )
        for room in range(conversations)
    ]
    start_ms = now_ms - messages - 60_000
    pending = []
    for number in range(messages):
        roster = rosters[drawn.randrange(conversations)]
        sender = roster.members[drawn.randrange(members)].account
        pending.append(Pending(roster, Message(start_ms + number, sender, next(source)), number))
    return Load(rosters, pending, start_ms)
