"""Messages into masked lines."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from garim.api.messages.v1 import messages_pb2
from garim.dossier.commitments import SENDER, original_commitment
from garim.dossier.lines import AttachmentNote, Mask, MessageLine, Sender, number
from garim.dossier.times import cut, rfc3339
from garim.masking.engine import Engine
from garim.masking.infotype import InfoType
from garim.masking.mask import Masked, MaskedSpan, mask
from garim.masking.people import Person
from garim.masking.pseudonyms import PseudonymTable
from garim.redaction.attempt.accounts import inconsistent
from garim.redaction.attempt.job import Place
from garim.redaction.attempt.reading import OpenedSegment
from garim.statements.grants import TimeUnit

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

    def place(self, line: MessageLine, start: int, end: int) -> Place:
        """Return where a stretch of the masked text stands in the original message."""
        return Place(
            segment=self.segment.hex(),
            message=self.message,
            start=self._original(line, start, at_end=False),
            end=self._original(line, end, at_end=True),
        )

    def _original(self, line: MessageLine, offset: int, *, at_end: bool) -> int:
        shift = 0
        for span, length in zip(line.masks, self.masked, strict=True):
            if offset <= span.start:
                break
            if offset < span.end:
                return span.start - shift + (length if at_end else 0)
            shift += (span.end - span.start) - length
        return offset - shift


@dataclass(frozen=True, slots=True)
class MadeLine:
    """A masked line.

    Args:
        conversation: Number of the conversation in the dossier.
        line: The line.
        origin: Where its text came from.
    """

    conversation: int
    line: MessageLine
    origin: Origin


@dataclass(slots=True)
class LineMaker:
    """Makes masked lines of one attempt.

    Args:
        engine: Finds what identifies somebody.
        people: Everybody by account id.
        table: The attempt's pseudonyms.
        numbers: Number of each conversation by its id.
        period_start: First millisecond asked for.
        period_end: First millisecond behind it.
        mesh: Name of the mesh.
        times: How exactly times are shown.
    """

    engine: Engine
    people: Mapping[str, Person]
    table: PseudonymTable
    numbers: Mapping[str, int]
    period_start: int
    period_end: int
    mesh: str
    times: TimeUnit = "exact"
    _places: dict[int, int] = field(default_factory=dict)

    def lines(self, batch: Sequence[OpenedSegment]) -> list[MadeLine]:
        """Return the masked lines of a batch of segments, trimmed to the exact period."""
        chosen = [
            (segment, position, message)
            for segment in batch
            for position, message in enumerate(segment.messages)
            if self.period_start <= message.sent_at_ms < self.period_end
        ]
        findings = self.engine.find([self._text(message) for _, _, message in chosen])
        made = []
        for (segment, position, message), found in zip(chosen, findings, strict=True):
            masked = mask(self._text(message), found, self.table)
            made.append(self._line(segment, position, message, masked))
        return made

    def _text(self, message: messages_pb2.ChatMessage) -> str:
        # A bystander's new name says who they are; that they took one is said by the kind.
        renamed = message.kind == messages_pb2.MESSAGE_KIND_RENAMED
        return "" if renamed and not self._sender(message.sender).subject else message.text

    def _sender(self, account: str) -> Person:
        person = self.people.get(account)
        if person is None:
            raise inconsistent("a message's sender stands in no roster")
        return person

    def _line(
        self, segment: OpenedSegment, position: int, message: messages_pb2.ChatMessage, masked: Masked
    ) -> MadeLine:
        conversation = self.numbers[segment.roster.conversation]
        self._places[conversation] = self._places.get(conversation, 0) + 1
        cited = number(conversation, self._places[conversation])
        shown_ms = cut(message.sent_at_ms, self.times)
        line = MessageLine(
            number=cited,
            at=shown_ms,
            time=rfc3339(shown_ms),
            sender=self._shown(self._sender(message.sender), cited),
            kind=KINDS.get(message.kind, "text"),
            text=masked.text,
            masks=tuple(
                Mask(
                    start=span.start,
                    end=span.end,
                    pseudonym=span.pseudonym,
                    type=span.type.value,
                    commitment=self._commitment(cited, place, span),
                )
                for place, span in enumerate(masked.spans)
            ),
            attachment=_attachment(message),
        )
        lengths = tuple(len(span.original) for span in masked.spans)
        return MadeLine(conversation, line, Origin(segment.header.segment, position, lengths))

    def _shown(self, sender: Person, cited: str) -> Sender:
        if sender.subject:
            name = sender.names[0] if sender.names else sender.account
            return Sender(pseudonym=None, account=sender.account, name=name, commitment=None)
        pseudonym = self.table.of(InfoType.PERSON, sender.key)
        opening = self.table.opening(pseudonym)
        commitment = original_commitment(opening, self.mesh, cited, SENDER, sender.account)
        return Sender(pseudonym=pseudonym, account=None, name=None, commitment=commitment.hex())

    def _commitment(self, cited: str, place: int, span: MaskedSpan) -> str:
        opening = self.table.opening(span.pseudonym, span.original)
        return original_commitment(opening, self.mesh, cited, place, span.original).hex()


def _attachment(message: messages_pb2.ChatMessage) -> AttachmentNote | None:
    if not message.HasField("attachment"):
        return None
    one = message.attachment
    # Only what can be nothing but a media type leaves: the field is free text of a back end.
    media_type = one.media_type if one.media_type in MEDIA_TYPES else "application/octet-stream"
    digest = one.sha256 if len(one.sha256) == DIGEST_BYTES else bytes(DIGEST_BYTES)
    return AttachmentNote(media_type=media_type, size=one.size, sha256=digest.hex())
