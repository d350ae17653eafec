"""What of a message goes into its line, and how a place in a line leads back to the message."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from garim.api.messages.v1 import messages_pb2
from garim.dossier.lines import AttachmentNote
from garim.redaction.attempt.job import Place

KINDS = {
    messages_pb2.MESSAGE_KIND_TEXT: "text",
    messages_pb2.MESSAGE_KIND_PHOTO: "photo",
    messages_pb2.MESSAGE_KIND_VIDEO: "video",
    messages_pb2.MESSAGE_KIND_VOICE: "voice",
    messages_pb2.MESSAGE_KIND_FILE: "file",
    messages_pb2.MESSAGE_KIND_STICKER: "sticker",
    messages_pb2.MESSAGE_KIND_JOINED: "joined",
    messages_pb2.MESSAGE_KIND_LEFT: "left",
    messages_pb2.MESSAGE_KIND_RENAMED: "renamed",
    messages_pb2.MESSAGE_KIND_DELETED: "deleted",
}

DIGEST_BYTES = 32
MEDIA_TYPES = frozenset(mimetypes.MimeTypes(filenames=()).types_map[True].values())


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a line's text came from.

    Args:
        segment: Segment id, 16 bytes.
        message: Position of the message in the segment.
        masked: For each mask of the line, how many code points stood there.
    """

    segment: bytes
    message: int
    masked: tuple[int, ...]

    def encode(self) -> bytes:
        """Return segment id, then message and masked lengths in four bytes each."""
        return self.segment + b"".join(one.to_bytes(4, "big") for one in (self.message, *self.masked))

    @classmethod
    def decode(cls, data: bytes) -> Origin:
        """Read what `encode` made."""
        numbers = [int.from_bytes(data[at : at + 4], "big") for at in range(16, len(data), 4)]
        return cls(data[:16], numbers[0], tuple(numbers[1:]))

    def place(self, masks: Sequence[Mapping[str, Any]], start: int, end: int) -> Place:
        """Return where a stretch of the masked text stands in the original message.

        Args:
            masks: The line's.
            start: First code point of the stretch.
            end: Code point behind the last.
        """
        return Place(
            segment=self.segment.hex(),
            message=self.message,
            start=self._original(masks, start, at_end=False),
            end=self._original(masks, end, at_end=True),
        )

    def _original(self, masks: Sequence[Mapping[str, Any]], offset: int, *, at_end: bool) -> int:
        shift = 0
        for span, length in zip(masks, self.masked, strict=True):
            first, behind = int(span["start"]), int(span["end"])
            if offset <= first:
                break
            if offset < behind:
                return first - shift + (length if at_end else 0)
            shift += (behind - first) - length
        return offset - shift


def attachment_note(message: messages_pb2.ChatMessage) -> AttachmentNote | None:
    """Return what may be said of a message's attachment."""
    if not message.HasField("attachment"):
        return None
    one = message.attachment
    # Only what can be nothing but a media type leaves: the field is free text of a back end.
    media_type = one.media_type if one.media_type in MEDIA_TYPES else "application/octet-stream"
    digest = one.sha256 if len(one.sha256) == DIGEST_BYTES else bytes(DIGEST_BYTES)
    return AttachmentNote(media_type=media_type, size=one.size, sha256=digest.hex())
