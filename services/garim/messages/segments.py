"""Cutting a batch into segments; what a segment holds is the protobuf message of its block, compressed.

A block that the back end has serialised is checked message by message and stored as it came.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import zstandard
from google.protobuf.message import DecodeError

from garim.api.messages.v1 import messages_pb2 as pb
from garim.sealing.segment import HOUR_MS, KIND_MESSAGES, KIND_OPAQUE
from garim.statements.refusal import RefusedError

ZSTD_LEVEL = 3
# Blocks of a message or two come out as small, in a quarter of the time.
ZSTD_LEVEL_SMALL = -1
SMALL_BLOCK_BYTES = 256
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
        block: Serialised block.
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
        content: SHA-256 of the batch's content.
        messages: How many it holds.
    """

    drafts: list[Draft]
    senders: list[set[str]]
    content: bytes
    messages: int


def cut(request: pb.AppendMessagesRequest, latest_ms: int) -> Cut:
    """Check a batch and cut it into segments.

    Args:
        request: The batch.
        latest_ms: Sent-at may not lie behind this.

    Raises:
        RefusedError: `BATCH_EMPTY`, `BATCH_TOO_LARGE`, `BATCH_FIELD`, `MESSAGE_TIME`, `MESSAGE_SENDER` or
            `MESSAGE_FIELD`, with the field.
    """
    if len(request.batch_id) != BATCH_ID_BYTES:
        raise RefusedError("BATCH_FIELD", f"must be {BATCH_ID_BYTES} bytes", field="batch_id")
    if not request.conversations:
        raise RefusedError("BATCH_EMPTY", "the batch holds no message", field="conversations")
    drafts: list[Draft] = []
    senders: list[set[str]] = []
    total = 0
    for position, conversation in enumerate(request.conversations):
        path = f"conversations[{position}]"
        messages, block = _opened(conversation, path)
        total += len(messages)
        if total > MAX_MESSAGES:
            raise RefusedError(
                "BATCH_TOO_LARGE", f"at most {MAX_MESSAGES} messages: split it", field="conversations"
            )
        times, names = _checked(messages, conversation.kind, len(block), latest_ms, path)
        senders.append(names)
        kind = KINDS[conversation.kind]
        first, last = min(times), max(times)
        if first // HOUR_MS == last // HOUR_MS:
            drafts.append(Draft(position, first, last, len(times), kind, block))
        else:
            drafts.extend(_by_hour(position, kind, messages, times))
    content = hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
    return Cut(drafts, senders, content, total)


def compressed(drafts: Sequence[Draft]) -> list[bytes]:
    """Return the drafts' blocks, each compressed for itself."""
    # In one call: with one for each, threads queue for the interpreter's lock between any two of them.
    blocks: list[bytes | bytearray | memoryview[int]] = [one.block for one in drafts]
    small = sum(map(len, blocks)) < SMALL_BLOCK_BYTES * len(blocks)
    compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL_SMALL if small else ZSTD_LEVEL)
    found = compressor.multi_compress_to_buffer(blocks)
    return [found[at].tobytes() for at in range(len(drafts))]


def _opened(conversation: pb.ConversationBatch, path: str) -> tuple[Sequence[pb.ChatMessage], bytes]:
    """Return a conversation's messages and their block, whichever of the two it came as."""
    if not conversation.conversation_id:
        raise RefusedError("BATCH_FIELD", "must not be empty", field=f"{path}.conversation_id")
    if len(conversation.roster_digest) != DIGEST_BYTES:
        raise RefusedError(
            "BATCH_FIELD", "must be the roster's SHA-256, 32 bytes", field=f"{path}.roster_digest"
        )
    if conversation.kind not in KINDS:
        raise RefusedError("BATCH_FIELD", "must say what kind of segment it is", field=f"{path}.kind")
    block = conversation.block
    messages: Sequence[pb.ChatMessage] = conversation.messages
    if block and messages:
        raise RefusedError("BATCH_FIELD", "send messages or their block, not both", field=f"{path}.block")
    if block:
        try:
            messages = pb.MessageBlock.FromString(block).messages
        except DecodeError:
            raise RefusedError(
                "BATCH_FIELD", "is no serialised MessageBlock", field=f"{path}.block"
            ) from None
    else:
        block = pb.MessageBlock(messages=messages).SerializeToString()
    if not messages:
        raise RefusedError("BATCH_EMPTY", "the conversation holds no message", field=f"{path}.messages")
    return messages, block


def _checked(
    messages: Sequence[pb.ChatMessage], kind: int, size: int, latest_ms: int, path: str
) -> tuple[list[int], set[str]]:
    """Return when the messages were sent, and by whom, once each is as it must be."""
    opaque = kind == pb.SEGMENT_KIND_OPAQUE
    if opaque or size > MAX_TEXT_BYTES:
        _demand_each(messages, latest_ms, path, opaque=opaque)
    times: list[int] = []
    names: set[str] = set()
    for message in messages:
        times.append(message.sent_at_ms)
        names.add(message.sender)
        if not (message.kind or opaque) or (message.opaque and not opaque):
            _demand_each(messages, latest_ms, path, opaque=opaque)
    if opaque:
        return times, set()
    if "" in names or min(times) <= 0 or max(times) > latest_ms:
        _demand_each(messages, latest_ms, path, opaque=opaque)
    return times, names


def _demand_each(messages: Sequence[pb.ChatMessage], latest_ms: int, path: str, *, opaque: bool) -> None:
    """Refuse the first message that is not as it must be, with its place."""
    for place, message in enumerate(messages):
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


def _by_hour(
    position: int, kind: int, messages: Sequence[pb.ChatMessage], times: list[int]
) -> Iterator[Draft]:
    """Cut where sent-at crosses an hour (UTC)."""
    first = 0
    for place in range(1, len(times) + 1):
        if place < len(times) and times[place] // HOUR_MS == times[first] // HOUR_MS:
            continue
        block = pb.MessageBlock(messages=messages[first:place]).SerializeToString()
        span = times[first:place]
        yield Draft(position, min(span), max(span), place - first, kind, block)
        first = place
