"""What a transcript can be entered by: its conversations, their days, and every pseudonym."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from garim.dossier.lines import MessageLine, number, place_of
from garim.dossier.times import day_number, day_of
from garim.masking.infotype import InfoType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

PAGE_MESSAGES = 500
PAGE_NAMES = 500
LISTED_MENTIONS = 200
"""So many messages are listed under a pseudonym; all are counted."""
_ROOM_SHIFT = 32


def page_name(room: int, page: int) -> str:
    """Return the file name of a transcript page."""
    return f"C{room}-{page}.html"


def page_of(place: int) -> int:
    """Return the page, from 1, on which a conversation's message at a place, from 1, stands."""
    return -(-place // PAGE_MESSAGES)


def link_of(room: int, place: int) -> str:
    """Return where a message stands in the transcript."""
    return f"{page_name(room, page_of(place))}#{number(room, place)}"


def names_page(page: int) -> str:
    """Return the file name of a page of pseudonyms."""
    return f"names-{page}.html"


@dataclass(slots=True)
class Day:
    """One day of a conversation.

    Args:
        date: The day in Korea.
        link: Its first message.
        messages: How many there are.
    """

    date: date
    link: str
    messages: int = 0


@dataclass(slots=True)
class Room:
    """What the index says of one conversation.

    Args:
        number: Its number in this dossier.
        messages: How many messages it has.
        first: When the first was sent.
        last: When the last was sent.
        senders: Who sent something.
        days: Its days by their number, in the order in which they first occur.
    """

    number: int
    messages: int
    first: int
    last: int
    senders: set[str] = field(default_factory=set)
    days: dict[int, Day] = field(default_factory=dict)

    @property
    def people(self) -> int:
        """How many senders appear."""
        return len(self.senders)

    @property
    def first_page(self) -> str:
        """File name of its first page."""
        return page_name(self.number, 1)

    @property
    def pages(self) -> int:
        """How many pages it has."""
        return page_of(self.messages)

    def join(self, later: Room) -> None:
        """Add what was gathered of later messages of the same conversation."""
        self.messages += later.messages
        self.first, self.last = min(self.first, later.first), max(self.last, later.last)
        self.senders |= later.senders
        for key, day in later.days.items():
            known = self.days.setdefault(key, day)
            if known is not day:
                known.messages += day.messages


@dataclass(slots=True)
class Name:
    """What is said of one pseudonym.

    Args:
        type: What it stands for, in UPPER_SNAKE.
        sent: How many messages this person sent.
        named: How often it stands in a text.
        messages: How many messages it occurs in.
    """

    type: str
    sent: int = 0
    named: int = 0
    messages: int = 0
    _places: array[int] = field(default_factory=lambda: array("Q"))

    def mention(self, room: int, place: int) -> None:
        """Count a message with it."""
        self.messages += 1
        self._places.append(room << _ROOM_SHIFT | place)
        self._trim()

    def join(self, other: Name) -> None:
        """Add what was gathered of other messages."""
        self.sent += other.sent
        self.named += other.named
        self.messages += other.messages
        self._places += other._places
        self._trim()

    def mentions(self) -> list[tuple[str, str]]:
        """Return number and link of the first `LISTED_MENTIONS` messages with it."""
        places = sorted(self._places)[:LISTED_MENTIONS]
        split = [(one >> _ROOM_SHIFT, one & (1 << _ROOM_SHIFT) - 1) for one in places]
        return [(number(room, place), link_of(room, place)) for room, place in split]

    def _trim(self) -> None:
        # Messages come in any order of conversations: only once in a while is it known which are the first.
        if len(self._places) > 2 * LISTED_MENTIONS:
            self._places = array("Q", sorted(self._places)[:LISTED_MENTIONS])


class Outline:
    """Gathered message by message or in parts; grows with days and pseudonyms, not with messages."""

    def __init__(self) -> None:
        self.names: dict[str, Name] = {}
        self._rooms: dict[int, Room] = {}

    @property
    def rooms(self) -> list[Room]:
        """The conversations, by their numbers."""
        return [self._rooms[one] for one in sorted(self._rooms)]

    def take(self, message: MessageLine) -> None:
        """Count a message; those of one conversation come in order."""
        sender = message.sender
        masks = [(mask.pseudonym, mask.type) for mask in message.masks]
        room, place = place_of(message.number)
        self.count(room, place, message.at, sender.pseudonym, sender.account or "", masks)

    def count(
        self,
        room: int,
        place: int,
        at: int,
        pseudonym: str | None,
        account: str,
        masks: Sequence[tuple[str, str]],
    ) -> None:
        """Count a message; those of one conversation come in order.

        Args:
            room: Number of the conversation.
            place: Place of the message in it, from 1.
            at: When it was sent, in milliseconds since the Unix epoch.
            pseudonym: Its sender's, None for a subject.
            account: A subject's account.
            masks: Pseudonym and kind of each mask.
        """
        known = self._rooms.get(room)
        if known is None:
            known = self._rooms[room] = Room(room, 0, at, at)
        known.messages += 1
        known.first, known.last = min(known.first, at), max(known.last, at)
        known.senders.add(pseudonym or account)
        key = day_number(at)
        day = known.days.get(key)
        if day is None:
            day = known.days[key] = Day(day_of(at), link_of(room, place))
        day.messages += 1
        if pseudonym is not None:
            sender = self._name(pseudonym, InfoType.PERSON)
            sender.sent += 1
            sender.mention(room, place)
        for name, kind in masks:
            self._name(name, kind).named += 1
        for one in {name for name, _ in masks} - {pseudonym} if masks else ():
            self.names[one].mention(room, place)

    def _name(self, pseudonym: str, kind: str) -> Name:
        name = self.names.get(pseudonym)
        if name is None:
            name = self.names[pseudonym] = Name(str(kind))
        return name

    def join(self, later: Outline) -> None:
        """Add what was gathered of other messages; those of one conversation are later ones."""
        for key, room in later._rooms.items():
            known = self._rooms.setdefault(key, room)
            if known is not room:
                known.join(room)
        for pseudonym, name in later.names.items():
            own = self.names.setdefault(pseudonym, name)
            if own is not name:
                own.join(name)

    def listed(self) -> list[list[str]]:
        """Return the pseudonyms in their own order, which says nothing, a list for each page."""
        ordered = sorted(self.names)
        return [ordered[at : at + PAGE_NAMES] for at in range(0, len(ordered), PAGE_NAMES)]


def survey(lines: Iterable[bytes]) -> Outline:
    """Return the outline of ordered message lines."""
    outline = Outline()
    for line in lines:
        outline.take(MessageLine.from_bytes(line))
    return outline
