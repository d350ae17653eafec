"""One message as it stands in `messages.jsonl`."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from garim.statements.model import Closed, Count, Digest, Millis
from garim.statements.refusal import RefusedError

_NUMBER = re.compile(r"^C([1-9][0-9]{0,6})-([0-9]{4,9})\Z")

MessageNumber = Annotated[str, Field(pattern=_NUMBER.pattern)]
"""A citable number: conversation and place in it, `C3-0127`."""

Pseudonym = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,30}-[0-9A-Z]{5}-[0-9A-Z]{5}\Z")]
"""What stands for a person or a value in one dossier: `P-7K4Q2-M9XAT`."""


def number(conversation: int, place: int) -> str:
    """Return the citable number of a message.

    Args:
        conversation: Number of the conversation in this dossier, from 1.
        place: Place of the message in it, from 1.
    """
    return f"C{conversation}-{place:04d}"


def place_of(message_number: str) -> tuple[int, int]:
    """Return conversation and place of a citable number.

    Raises:
        RefusedError: `MESSAGE_NUMBER`.
    """
    match = _NUMBER.match(message_number)
    if match is None:
        raise RefusedError("MESSAGE_NUMBER", "message numbers look like C3-0127", field="number")
    return int(match[1]), int(match[2])


def conversation_of(message_number: str) -> int:
    """Return the conversation of a citable number.

    Raises:
        RefusedError: `MESSAGE_NUMBER`.
    """
    return place_of(message_number)[0]


class Sender(Closed):
    """Who sent a message: a subject with their account and name, or a pseudonym.

    Args:
        pseudonym: What stands for a bystander; null for a subject.
        account: A subject's account id; null for a bystander.
        name: A subject's name; null for a bystander.
        commitment: Of a bystander's account id; see `commitments.original_commitment`. Null for a subject.
    """

    pseudonym: Pseudonym | None
    account: str | None
    name: str | None
    commitment: Digest | None


class Mask(Closed):
    """A stretch of the shown text that stands for something masked.

    Args:
        start: First code point.
        end: Code point behind the last.
        pseudonym: What stands there.
        type: What sort of thing was masked, in UPPER_SNAKE.
        commitment: Of the characters that stood there; see `commitments.original_commitment`.
    """

    start: Count
    end: Count
    pseudonym: Pseudonym
    type: str
    commitment: Digest


class AttachmentNote(Closed):
    """What was attached, without its content.

    Args:
        media_type: Its media type.
        size: Its size in bytes.
        sha256: Digest of its content.
    """

    media_type: str
    size: Count
    sha256: Digest


class MessageLine(Closed):
    """One message of a dossier.

    Args:
        number: Its citable number.
        at: When it was sent, in milliseconds since the Unix epoch, cut as policy had it; see `times.cut`.
        time: The same for people: RFC 3339, UTC.
        sender: Who sent it.
        kind: `text`, `photo`, `joined` and so on.
        text: Its text with everything masked that is not a subject's.
        masks: What stands for something in it, in order.
        attachment: What was attached, or null.
    """

    number: MessageNumber
    at: Millis
    time: str
    sender: Sender
    kind: str
    text: str
    masks: tuple[Mask, ...]
    attachment: AttachmentNote | None

    @model_validator(mode="after")
    def _masked(self) -> Self:
        """Demand that masks stand in order and apart, each over its pseudonym and nothing more."""
        at = 0
        for mask in self.masks:
            if mask.start < at or self.text[mask.start : mask.end] != mask.pseudonym:
                raise PydanticCustomError("masks", "a mask covers something else than its pseudonym")
            at = mask.end
        return self

    def pseudonyms(self) -> list[str]:
        """Return all pseudonyms in it, sorted, each once."""
        found = {mask.pseudonym for mask in self.masks}
        if self.sender.pseudonym:
            found.add(self.sender.pseudonym)
        return sorted(found)
