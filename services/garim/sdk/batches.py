"""Gathering messages into batches: runs of one conversation under one roster, in the order they were put."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from garim.api.messages.v1 import messages_pb2 as pb
from garim.sdk.model import Message, Roster


class Pending(NamedTuple):
    """A message that waits to be sent.

    Attributes:
        roster: Who is in its conversation.
        message: The message.
        position: The caller's own mark of it.
    """

    roster: Roster
    message: Message
    position: object


@dataclass(frozen=True, slots=True)
class Batch:
    """A request with the rosters it names, position by position, and the last mark in it."""

    request: pb.AppendMessagesRequest
    rosters: tuple[Roster, ...]
    position: object
    messages: int


class _Part(NamedTuple):
    roster: Roster
    opaque: bool
    block: pb.MessageBlock


def make_batch(pending: Sequence[Pending], batch_id: bytes) -> Batch:
    """Return the request for these messages.

    Messages of one conversation keep their order; a change of roster, or of what kind a message is, begins a
    new part.

    Args:
        pending: At least one message, in the order they were put.
        batch_id: Id of the batch, 16 bytes.
    """
    parts: list[_Part] = []
    latest: dict[str, _Part] = {}
    for roster, message, _ in pending:
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
    )
    return Batch(request, tuple(one.roster for one in parts), pending[-1].position, len(pending))
