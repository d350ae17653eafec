"""Gathering messages into batches: runs of one conversation under one roster, in the order they were put."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from garim.api.messages.v1 import messages_pb2 as pb
from garim.sdk.model import Message, Roster

BATCH_ID_BYTES = 16


class Pending(NamedTuple):
    """A message that waits to be sent.

    Attributes:
        roster: Who is in its conversation.
        message: The message.
        position: The caller's own mark of it.
        put_s: When it was put, monotonic seconds.
    """

    roster: Roster
    message: Message
    position: object
    put_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Batch:
    """A request with the rosters it names, position by position, and the messages it was made of."""

    request: pb.AppendMessagesRequest
    rosters: tuple[Roster, ...]
    pending: Sequence[Pending]

    @property
    def position(self) -> object:
        """The caller's mark of its last message."""
        return self.pending[-1].position


class _Part(NamedTuple):
    roster: Roster
    opaque: bool
    block: pb.MessageBlock


def make_batch(pending: Sequence[Pending], batch_id: bytes, *, resumable: bool = False) -> Batch:
    """Return the request for these messages.

    Messages of one conversation keep their order; a change of roster, or of what kind a message is, begins a
    new part.

    Args:
        pending: At least one message, in the order they were put.
        batch_id: Id of the batch, 16 bytes.
        resumable: Whether the id is made from the first message's position.
    """
    parts: list[_Part] = []
    latest: dict[str, _Part] = {}
    for roster, message, _, _ in pending:
        part = latest.get(roster.conversation)
        if part is None or part.roster.digest != roster.digest or part.opaque != message.is_opaque:
            part = latest[roster.conversation] = _Part(roster, message.is_opaque, pb.MessageBlock())
            parts.append(part)
        message.add_to(part.block)
    request = pb.AppendMessagesRequest(
        batch_id=batch_id,
        conversations=[
            pb.ConversationBatch(
                conversation_id=one.roster.conversation,
                roster_digest=one.roster.digest,
                kind=pb.SEGMENT_KIND_OPAQUE if one.opaque else pb.SEGMENT_KIND_MESSAGES,
                block=one.block.SerializeToString(),
            )
            for one in parts
        ],
        resumable=resumable,
    )
    return Batch(request, tuple(one.roster for one in parts), pending)


def resumable_id(stream: str, position: object) -> bytes:
    """Return the id of the batch that begins at a position: the same in every process.

    Args:
        stream: Name of the sequence of messages, one among those of the back end.
        position: The caller's mark of the first message.

    Raises:
        TypeError: The position is neither a number nor a text nor bytes, so that it has no one form.
    """
    if not isinstance(position, int | str | bytes):
        raise TypeError("positions of a named stream are int, str or bytes")
    parts = (b"garim/batch", stream.encode(), repr(position).encode())
    told = b"".join(len(one).to_bytes(4, "big") + one for one in parts)
    return hashlib.sha256(told).digest()[:BATCH_ID_BYTES]
