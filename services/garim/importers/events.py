"""What an export is read into: members, messages and changes of the roster, in the order of the file."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TypeAlias


class Kind(enum.StrEnum):
    """What a message is; everything but `TEXT`, `ACTION` and `LINK` stands for content outside the export."""

    TEXT = "text"
    ACTION = "action"
    """IRC's `/me`: the text is what the sender is said to do."""
    LINK = "link"
    """A message that is one URL."""
    PHOTO = "photo"
    VIDEO = "video"
    VOICE = "voice"
    FILE = "file"
    STICKER = "sticker"
    EMOTICON = "emoticon"
    CONTACT = "contact"
    LOCATION = "location"
    CALL = "call"


@dataclass(frozen=True, slots=True)
class Member:
    """One account of a room.

    Args:
        account: Stable id made by the importer: `irc:<nick in lower case>`,
            `kakao:<name>`, `whatsapp:<name>` or `telegram:<id>`.
        name: The name shown in the room, as exported.
        phone: Telephone number, where a roster file gives one or it is shown as the name.
        email: E-mail address, where a roster file gives one.
        host: `user@host` of an IRC join.
        other_names: Further names of the same account (later nicks, names from a roster file).
    """

    account: str
    name: str
    phone: str = ""
    email: str = ""
    host: str = ""
    other_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chat:
    """The first event of every export.

    Args:
        title: The room's title, from the export's head or the file's name.
        network: `irc`, `kakaotalk`, `whatsapp` or `telegram`.
        timezone: IANA name of the zone in which the export's times were read.
        members_at_start: Everybody who is in the room before the first message, as far as the export shows.
    """

    title: str
    network: str
    timezone: str
    members_at_start: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Args:
        at_ms: Milliseconds since the epoch, UTC. Exports show minutes (or seconds): the n-th event of one
            minute lies n milliseconds after its start, so that order survives.
        sender: Account of the sender.
        kind: What it is.
        text: The body as exported, its lines parted by a line feed.
    """

    at_ms: int
    sender: str
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Joined:
    """A member came in, was invited, or (already there) has a new `host`."""

    at_ms: int
    member: Member


@dataclass(frozen=True, slots=True)
class Left:
    """A member left or was removed."""

    at_ms: int
    account: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """A member of the room goes by a further name; the account stays."""

    at_ms: int
    account: str
    new_name: str


Event: TypeAlias = Chat | Message | Joined | Left | Renamed


@dataclass(slots=True)
class Counts:
    """What became of the lines and messages of an export, so far.

    Args:
        messages: Messages read.
        continued: Further lines of messages.
        roster: Lines that changed the roster (joined, invited, left, removed, renamed).
        system: System lines without effect here (notices, modes, topics), skipped.
        deleted: Messages of which only the notice of their deletion is left, skipped.
        head: Lines of the export's head, and a table's row of column names.
        day: Lines that only name a day or a time.
        blank: Empty lines outside messages.
        unknown: Lines of no known form, skipped; their numbers (the first ten) in `unknown_lines`.
        backwards: Events whose time lies before that of the event before them; kept as exported.
    """

    messages: int = 0
    continued: int = 0
    roster: int = 0
    system: int = 0
    deleted: int = 0
    head: int = 0
    day: int = 0
    blank: int = 0
    unknown: int = 0
    backwards: int = 0
    unknown_lines: list[int] = field(default_factory=list)

    def note_unknown(self, number: int) -> None:
        """Count a line of no known form.

        Args:
            number: Its number, from 1.
        """
        self.unknown += 1
        if len(self.unknown_lines) < 10:
            self.unknown_lines.append(number)
