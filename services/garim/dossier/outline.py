"""What a transcript can be entered by: its conversations, their days, and every pseudonym."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from garim.dossier.lines import MessageLine, conversation_of
from garim.dossier.times import day_of
from garim.masking.infotype import InfoType

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

PAGE_MESSAGES = 500
PAGE_NAMES = 500
LISTED_MENTIONS = 200
"""So many messages are listed under a pseudonym; all are counted."""


def page_name(room: int, page: int) -> str:
    """Return the file name of a transcript page."""
    return f"C{room}-{page}.html"


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
        people: How many senders appear.
        messages: How many messages it has.
        first: When the first was sent.
        last: When the last was sent.
        days: Its days, in the order in which they first occur.
    """

    number: int
    people: int
    messages: int
    first: int
    last: int
    days: list[Day] = field(default_factory=list)

    @property
    def first_page(self) -> str:
        """File name of its first page."""
        return page_name(self.number, 1)

    @property
    def pages(self) -> int:
        """How many pages it has."""
        return -(-self.messages // PAGE_MESSAGES)


@dataclass(slots=True)
class Name:
    """What is said of one pseudonym.

    Args:
        type: What it stands for, in UPPER_SNAKE.
        sent: How many messages this person sent.
        named: How often it stands in a text.
        mentions: Number and link of the first `LISTED_MENTIONS` messages with it.
        messages: How many messages it occurs in.
    """

    type: str
    sent: int = 0
    named: int = 0
    mentions: list[tuple[str, str]] = field(default_factory=list)
    messages: int = 0


class Outline:
    """Gathered message by message; grows with days and pseudonyms, not with messages."""

    def __init__(self) -> None:
        self.rooms: list[Room] = []
        self.names: dict[str, Name] = {}
        self._people: set[str] = set()
        self._days: dict[date, Day] = {}

    def take(self, message: MessageLine) -> None:
        """Count a message; they come in order of conversation and place."""
        number = conversation_of(message.number)
        if not self.rooms or self.rooms[-1].number != number:
            self.rooms.append(Room(number, 0, 0, message.at, message.at))
            self._people, self._days = set(), {}
        room = self.rooms[-1]
        self._people.add(message.sender.pseudonym or message.sender.account or "")
        room.people, room.messages = len(self._people), room.messages + 1
        room.first, room.last = min(room.first, message.at), max(room.last, message.at)
        link = f"{page_name(number, room.pages)}#{message.number}"
        date = day_of(message.at)
        if date not in self._days:
            self._days[date] = Day(date, link)
            room.days.append(self._days[date])
        self._days[date].messages += 1
        self._name(message, link)

    def _name(self, message: MessageLine, link: str) -> None:
        if sender := message.sender.pseudonym:
            self.names.setdefault(sender, Name(InfoType.PERSON.value)).sent += 1
        for mask in message.masks:
            self.names.setdefault(mask.pseudonym, Name(mask.type)).named += 1
        for pseudonym in message.pseudonyms():
            name = self.names[pseudonym]
            name.messages += 1
            if len(name.mentions) < LISTED_MENTIONS:
                name.mentions.append((message.number, link))

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
