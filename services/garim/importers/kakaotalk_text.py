"""KakaoTalk's text exports: lines put together to messages, in any dialect."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from garim.importers.kakaotalk_dialects import SAVED, TITLES, Dialect, Line, Part
from garim.importers.kakaotalk_notices import Change, Notice, read_notice
from garim.importers.lines import refuse_line
from garim.importers.times import moment

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from garim.importers.events import Counts, Event
    from garim.importers.rooms import Room

MAX_MESSAGE_CHARS = 1 << 20
"""Longest message that is put together; KakaoTalk's longest have 10,000 characters."""


class TextReader:
    """Reads one export.

    Args:
        dialect: Its dialect.
        room: Where its messages and notices go.
        counts: Where its lines are counted.
    """

    def __init__(self, dialect: Dialect, room: Room, counts: Counts) -> None:
        self._dialect = dialect
        self._room = room
        self._counts = counts
        self._date: tuple[int, int, int] | None = None
        self._shown: dt.datetime | None = None
        self._sender = ""
        self._body: list[str] | None = None
        self._length = 0
        self._after_notice = False

    def read(self, lines: Iterable[tuple[int, str]]) -> Iterator[Event]:
        """The events of the file.

        Args:
            lines: Number and text of each line.

        Raises:
            RefusedError: CHAT_LINE for a line that cannot be read.
        """
        after_blank = True
        for number, text in lines:
            line = self._dialect.parse(text, number)
            if line is not None and self._is_decoy(line, after_blank=after_blank):
                line = None
            after_blank = not text.strip()
            if line is None:
                yield from self._other(number, text)
            else:
                yield from self._finish()
                yield from self._begin(line, number)
        yield from self._finish()

    def _is_decoy(self, line: Line, *, after_blank: bool) -> bool:
        """Whether the line only looks like one of the app's and belongs to the message before it."""
        if line.part is Part.DAY:
            bare_day = line.time is None
            return bare_day and self._dialect.day_after_blank and not after_blank and self._body is not None
        if line.part is Part.NOTICE and not self._dialect.dated and self._body is not None:
            return read_notice(line.body) is None and not line.body.rstrip(".").endswith("니다")
        return False

    def _begin(self, line: Line, number: int) -> Iterator[Event]:
        self._after_notice = False
        if line.date is not None:
            self._date = line.date
        if self._date is None:
            raise refuse_line(number, "has a time before any line that names a day; export the chat again")
        hour, minute = line.time or (0, 0)
        shown = moment(self._date, (hour, minute, 0), number)
        if line.part is Part.DAY:
            self._counts.day += 1
            self._shown = shown
        elif line.part is Part.NOTICE:
            self._shown = shown
            self._after_notice = True
            yield from self._room.notice(shown, read_notice(line.body) or Notice(Change.OTHER))
        else:
            self._shown, self._sender = shown, line.sender
            self._body, self._length = [line.body], len(line.body)

    def _other(self, number: int, text: str) -> Iterator[Event]:
        """A line without a stamp: the head, a bare notice, or a further line of what stands before it."""
        if self._dialect.bare_notices and self._shown is not None:
            notice = read_notice(text)
            if notice and self._is_certain(notice, text):
                yield from self._finish()
                yield from self._room.notice(self._shown, notice)
                return
        if self._body is not None:
            self._counts.continued += 1
            self._length += len(text) + 1
            if self._length > MAX_MESSAGE_CHARS:
                raise refuse_line(
                    number, "continues a message beyond any length of KakaoTalk's; is it damaged?"
                )
            self._body.append(text)
        elif not text.strip():
            self._counts.blank += 1
        elif self._after_notice:
            self._counts.system += 1
        elif self._shown is None and (SAVED.match(text) or title_of(text)):
            self._counts.head += 1
        else:
            self._counts.note_unknown(number)

    def _is_certain(self, notice: Notice, text: str) -> bool:
        """Whether a line without a stamp is a notice and no sentence of the message before it."""
        if notice.change is Change.IN:
            by_member = bool(notice.actor) and self._room.knows((notice.actor,))
            return by_member or "님" in text or "this chat" in text
        return self._room.knows(notice.names)

    def _finish(self) -> Iterator[Event]:
        if self._body is None or self._shown is None:
            return
        body, self._body = self._body, None
        while len(body) > 1 and not body[-1].strip():
            body.pop()
            self._counts.continued -= 1
            self._counts.blank += 1
        yield from self._room.message(self._shown, self._sender, "\n".join(body))


def title_of(text: str) -> str:
    """The room's title, where the line is the head's first line, else nothing.

    Args:
        text: One line.
    """
    composed = unicodedata.normalize("NFC", text).strip()
    for form in TITLES:
        if found := form.match(composed):
            return found["title"].strip()
    return ""
