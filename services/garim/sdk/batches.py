"""Gathering messages into batches: runs of one conversation under one roster, in the order they were put."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from garim.api.messages.v1 import messages_pb2 as pb
from garim.sdk.model import Message, Roster


@dataclass(frozen=True, slots=True)
class Pending:
    """A message that waits to be sent.

    Args:
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


def make_batch(pending: Sequence[Pending], batch_id: bytes) -> Batch:
    """Return the request for these messages.

    Messages of one conversation keep their order; a change of roster, or of what kind a message is, begins a
    new part.

    Args:
        pending: At least one message, in the order they were put.
        batch_id: Fresh random id, 16 bytes.
    """
    request = pb.AppendMessagesRequest(batch_id=batch_id)
    rosters: list[Roster] = []
    latest: dict[str, tuple[bytes, bool, int]] = {}
    for one in pending:
        key = (one.roster.digest, one.message.is_opaque)
        known = latest.get(one.roster.conversation)
        if known is None or known[:2] != key:
            latest[one.roster.conversation] = (*key, len(rosters))
            rosters.append(one.roster)
            request.conversations.add(
                conversation_id=one.roster.conversation,
                roster_digest=one.roster.digest,
                kind=pb.SEGMENT_KIND_OPAQUE if one.message.is_opaque else pb.SEGMENT_KIND_MESSAGES,
            )
        place = latest[one.roster.conversation][2]
        request.conversations[place].messages.append(one.message.to_proto())
    return Batch(request, tuple(rosters), pending[-1].position, len(pending))
