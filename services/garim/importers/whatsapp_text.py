"""WhatsApp's text exports: lines put together to messages, of Android and iOS phones."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from garim.importers.events import Kind
from garim.importers.kakaotalk_notices import Change, Notice
from garim.importers.lines import refuse_line
from garim.importers.whatsapp_lines import order_of, parse
from garim.importers.whatsapp_notices import MARKS, parts_of, read_notice

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from garim.importers.events import Counts, Event
    from garim.importers.rooms import Room
    from garim.importers.whatsapp_lines import DateOrder

MAX_MESSAGE_CHARS = 1 << 20
"""Longest message that is put together; WhatsApp's longest have 65,536 characters."""

_SAID = re.compile(r"(?P<sender>[^:]{1,200}):(?: (?P<body>.*)|(?P<close>\S.*)|)$", re.DOTALL)
_TITLES = re.compile(
    r"WhatsApp (?:Chat|대화|Chat mit|chat)(?: with| mit| -)? (?P<title>.+)|(?P<ko>.+)님과의? WhatsApp 대화"
)


def whatsapp_title(name: str) -> str:
    """The room's title in the name of an export's file.

    Args:
        name: The file's name.
    """
    stem = PurePath(name).stem
    found = _TITLES.fullmatch(stem)
    return (found["title"] or found["ko"]) if found else stem


class WhatsAppReader:
    """Reads one export.

    Args:
        form: Its stamps: `whatsapp_lines.ANDROID` or `IOS`.
        order: The order of day and month, where a person said it.
        room: Where its messages and notices go.
        counts: Where its lines are counted.
    """

    def __init__(self, form: re.Pattern[str], order: DateOrder | None, room: Room, counts: Counts) -> None:
        self._form = form
        self._order = order
        self._room = room
        self._counts = counts
        self._said: tuple[dt.datetime, str] | None = None
        self._body: list[str] = []
        self._length = 0

    def read(self, lines: Iterable[tuple[int, str]]) -> Iterator[Event]:
        """The events of the file, which is read once more, first, for the order of its dates.

        Args:
            lines: Number and text of each line; can be iterated again.

        Raises:
            RefusedError: CHAT_LINE for a line that cannot be read, CHAT_DATE_ORDER.
        """
        order = self._order or order_of(self._form, lines)
        begun = False
        for number, text in lines:
            stamp = parse(self._form, text, number)
            if stamp is None:
                self._continue(number, text, begun=begun)
                continue
            yield from self._finish()
            begun = True
            yield from self._begin(stamp.shown(order), stamp.rest)
        yield from self._finish()

    def _begin(self, shown: dt.datetime, rest: str) -> Iterator[Event]:
        bare = rest.strip(MARKS)
        notice = read_notice(bare)
        said = None if notice else _SAID.match(bare)
        if said is None:
            yield from self._room.notice(shown, notice or Notice(Change.OTHER))
            return
        body = said["body"] or said["close"] or ""
        # iPhones put the room's name or the actor before what the app itself says, and a mark behind it.
        if body.startswith(MARKS[0]) and parts_of(body) == ((Kind.TEXT, body),):
            own = read_notice(body.strip(MARKS))
            yield from self._room.notice(shown, own or Notice(Change.OTHER))
            return
        self._said = shown, said["sender"].strip(f"{MARKS} ")
        self._body, self._length = [body], len(body)

    def _continue(self, number: int, text: str, *, begun: bool) -> None:
        if self._said is not None:
            self._counts.continued += 1
            self._length += len(text) + 1
            if self._length > MAX_MESSAGE_CHARS:
                raise refuse_line(
                    number, "continues a message beyond any length of WhatsApp's; is it damaged?"
                )
            self._body.append(text)
        elif not text.strip():
            self._counts.blank += 1
        elif begun:
            self._counts.system += 1
        else:
            self._counts.note_unknown(number)

    def _finish(self) -> Iterator[Event]:
        if self._said is None:
            return
        (shown, sender), self._said = self._said, None
        yield from self._room.message(shown, sender, "\n".join(self._body))
