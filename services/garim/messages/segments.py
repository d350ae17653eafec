"""Cutting a batch into segments; what a segment holds is the protobuf message of its block, compressed.

The request is taken as it came: its messages are what the block stores, so nothing is copied into other forms
on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import zstandard

from garim.api.messages.v1 import messages_pb2 as pb
from garim.sealing.segment import HOUR_MS, KIND_MESSAGES, KIND_OPAQUE
from garim.statements.refusal import RefusedError

ZSTD_LEVEL = 3
BATCH_ID_BYTES = 16
DIGEST_BYTES = 32
MAX_MESSAGES = 5_000
MAX_TEXT_BYTES = 1024 * 1024

KINDS = {pb.SEGMENT_KIND_MESSAGES: KIND_MESSAGES, pb.SEGMENT_KIND_OPAQUE: KIND_OPAQUE}


class Draft(NamedTuple):
    """A segment before it is sealed.

    Attributes:
        position: Of its conversation in the request.
        sent_first: Earliest sent-at.
        sent_last: Latest sent-at.
        messages: How many it holds.
        kind: 1 messages, 2 opaque.
        block: Compressed block.
    """

    position: int
    sent_first: int
    sent_last: int
    messages: int
    kind: int
    block: bytes


class Cut(NamedTuple):
    """A batch, checked and cut.

    Attributes:
        drafts: Its segments in order.
        senders: For each conversation of the request, the account ids that sent something.
    """

    drafts: list[Draft]
    senders: list[frozenset[str]]


def cut(request: pb.AppendMessagesRequest, latest_ms: int) -> Cut:
    """Check a batch and cut it into segments.

    Args:
        request: The batch.
        latest_ms: Sent-at may not lie behind this.

    Raises:
        RefusedError: `BATCH_EMPTY`, `BATCH_TOO_LARGE`, `BATCH_FIELD`, `MESSAGE_TIME`, `MESSAGE_SENDER` or
            `MESSAGE_FIELD`, with the field.
    """
    _demand_batch(request)
    compress = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress
    drafts: list[Draft] = []
    senders: list[frozenset[str]] = []
    for position, conversation in enumerate(request.conversations):
        path = f"conversations[{position}]"
        _demand_conversation(conversation, path)
        names = _check_messages(conversation, latest_ms, path)
        senders.append(names)
        drafts.extend(_segments(position, conversation, compress))
    return Cut(drafts, senders)


def _demand_batch(request: pb.AppendMessagesRequest) -> None:
    if len(request.batch_id) != BATCH_ID_BYTES:
        raise RefusedError("BATCH_FIELD", f"must be {BATCH_ID_BYTES} random bytes", field="batch_id")
    count = sum(len(one.messages) for one in request.conversations)
    if count == 0:
        raise RefusedError("BATCH_EMPTY", "the batch holds no message", field="conversations")
    if count > MAX_MESSAGES:
        raise RefusedError(
            "BATCH_TOO_LARGE", f"at most {MAX_MESSAGES} messages: split it", field="conversations"
        )


def _demand_conversation(conversation: pb.ConversationBatch, path: str) -> None:
    if not conversation.messages:
        raise RefusedError("BATCH_EMPTY", "the conversation holds no message", field=f"{path}.messages")
    if not conversation.conversation_id:
        raise RefusedError("BATCH_FIELD", "must not be empty", field=f"{path}.conversation_id")
    if len(conversation.roster_digest) != DIGEST_BYTES:
        raise RefusedError(
            "BATCH_FIELD", "must be the roster's SHA-256, 32 bytes", field=f"{path}.roster_digest"
        )
    if conversation.kind not in KINDS:
        raise RefusedError("BATCH_FIELD", "must say what kind of segment it is", field=f"{path}.kind")


def _check_messages(conversation: pb.ConversationBatch, latest_ms: int, path: str) -> frozenset[str]:
    opaque = conversation.kind == pb.SEGMENT_KIND_OPAQUE
    senders = set()
    for place, message in enumerate(conversation.messages):
        if not 0 < message.sent_at_ms <= latest_ms:
            raise RefusedError(
                "MESSAGE_TIME",
                "sent-at is missing or lies in the future",
                field=f"{path}.messages[{place}].sent_at_ms",
            )
        if opaque:
            if not message.opaque or message.sender or message.text or message.kind:
                raise RefusedError(
                    "MESSAGE_FIELD",
                    "a secret chat's message is its time and its opaque block alone",
                    field=f"{path}.messages[{place}]",
                )
            continue
        if not message.sender:
            raise RefusedError(
                "MESSAGE_SENDER", "the sender is missing", field=f"{path}.messages[{place}].sender"
            )
        if not message.kind or message.opaque or len(message.text) > MAX_TEXT_BYTES:
            raise RefusedError(
                "MESSAGE_FIELD",
                "must name its kind, hold no opaque block and at most 1 MiB of text",
                field=f"{path}.messages[{place}]",
            )
        senders.add(message.sender)
    return frozenset(senders)


def _segments(
    position: int, conversation: pb.ConversationBatch, compress: Callable[[bytes], bytes]
) -> Iterator[Draft]:
    """Cut where sent-at crosses an hour (UTC)."""
    messages = conversation.messages
    times = [message.sent_at_ms for message in messages]
    first = 0
    for place in range(1, len(times) + 1):
        if place < len(times) and times[place] // HOUR_MS == times[first] // HOUR_MS:
            continue
        block = pb.MessageBlock(messages=messages[first:place]).SerializeToString()
        span = times[first:place]
        yield Draft(position, min(span), max(span), place - first, KINDS[conversation.kind], compress(block))
        first = place
