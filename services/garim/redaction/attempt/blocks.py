"""Decrypt segments into their messages."""

from __future__ import annotations

import zstandard

from garim.api.messages.v1 import messages_pb2
from garim.redaction.attempt.accounts import inconsistent
from garim.sealing import segment as segments
from garim.sealing.secret import Secret

MAX_BLOCK = 64 * 1024 * 1024


def open_messages(
    key: Secret, header: segments.SegmentHeader, encoded: bytes, ciphertext: bytes
) -> list[messages_pb2.ChatMessage]:
    """Return a segment's messages.

    Args:
        key: Its released key.
        header: Its header.
        encoded: The same as it was served.
        ciphertext: Its encrypted block.

    Raises:
        RefusedError: `SEALING_OPEN`, `STORE_INCONSISTENT`.
    """
    compressed = segments.open_block(key, encoded, ciphertext)
    try:
        # A frame that states its size is not bounded by max_output_size.
        if zstandard.frame_content_size(compressed) > MAX_BLOCK:
            raise inconsistent("a segment's block is larger than any block")
        block = zstandard.ZstdDecompressor().decompress(compressed, max_output_size=MAX_BLOCK)
    except zstandard.ZstdError:
        raise inconsistent("a segment's block does not decompress") from None
    messages = list(messages_pb2.MessageBlock.FromString(block).messages)
    times = [one.sent_at_ms for one in messages]
    if len(messages) != header.count or (min(times), max(times)) != (header.sent_first, header.sent_last):
        raise inconsistent("a segment's block is not what its header says")
    return messages
