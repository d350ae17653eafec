"""IRC logs as one file a channel and hour (or day), the date in the file's name, times without a date.

Accounts: a nick is an account (`irc:` and the nick in lower case under RFC 1459's rules). After
`=== a is now known as b`, b speaks for a's account, unless b was met before as an account of its own: which
of both is speaking then nobody can tell from a log, and a subject must not be given a bystander's words.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from garim.importers import irc_lines
from garim.importers.events import Counts, Event, Kind, Message
from garim.importers.irc_lines import Part
from garim.importers.times import FIRST_YEAR
from garim.statements.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from garim.importers.rosters import Presence
    from garim.importers.times import EventClock

_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ[]\\~", "abcdefghijklmnopqrstuvwxyz{}|^")
_DATED = re.compile(r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})(?:[_T](?P<hour>[0-9]{2})(?![0-9]))?")
_NEW_DAY_SECONDS = 3600
"""A clock that goes back by more is past midnight; by less, it was set, or is the same hour twice."""


def account_of(nick: str) -> str:
    """The account of a nick, whose letters fold as RFC 1459, section 2.2, says.

    Args:
        nick: The nick.
    """
    return f"irc:{nick.translate(_LOWER)}"


def date_in_name(name: str) -> tuple[dt.date, int | None]:
    """Date and hour in the name of a log.

    Args:
        name: The file's name, as in `2005-06-27_12.raw.txt`.

    Raises:
        RefusedError: CHAT_DATE where it holds no date.
    """
    found = _DATED.search(name)
    try:
        if found and int(found["date"][:4]) >= FIRST_YEAR:
            return dt.date.fromisoformat(found["date"]), int(found["hour"]) if found["hour"] else None
    except ValueError:
        pass
    raise RefusedError(
        "CHAT_DATE",
        "IRC lines show no date, and the file's name holds none; name the file as in 2005-06-27_12.txt",
        field="name",
    )


class WallClock:
    """Days counted from times of day alone.

    A time that goes back by more than an hour is one of the next day. Logs on a 12-hour clock without AM and
    PM are recognised where 12 is followed by a lower hour and no hour beyond 12 was seen: half a day passed.
    """

    def __init__(self) -> None:
        self._last: int | None = None
        self._passed = 0
        self._half_days = True

    def seconds(self, time: tuple[int, int, int]) -> int:
        """Seconds since midnight of the first line's day.

        Args:
            time: Hour, minute, second as shown.
        """
        shown = time[0] * 3600 + time[1] * 60 + time[2]
        self._half_days = self._half_days and 1 <= time[0] <= 12
        if self._last is not None and shown < self._last - _NEW_DAY_SECONDS:
            twelve = self._half_days and self._last >= 12 * 3600
            self._passed += 12 * 3600 if twelve else 24 * 3600
        self._last = shown
        return shown + self._passed


class LogReader:
    """Reads one log.

    Args:
        name: The file's name, which holds the date; with an hour, it is the date of the first line that
            shows this hour (logs that begin in the evening before are named for their last hours).
        presence: The roster.
        clock: Gives the instants.
        counts: Where lines are counted.
    """

    def __init__(self, name: str, presence: Presence, clock: EventClock, counts: Counts) -> None:
        self._date, self._hour = date_in_name(name)
        self._presence = presence
        self._clock = clock
        self._counts = counts
        self._accounts: dict[str, str] = {}

    def read(self, lines: Iterable[tuple[int, str]]) -> Iterator[Event]:
        """The events of the file, which is read once more, first, up to the line that fixes its date.

        Args:
            lines: Number and text of each line; can be iterated again.

        Raises:
            RefusedError: CHAT_LINE for a line that cannot be read.
        """
        midnight, seconds = self._anchor(lines)
        wall = WallClock()
        for number, text in lines:
            line = irc_lines.parse(text, number)
            if line.time is not None:
                seconds = wall.seconds(line.time)
            if line.part is Part.BLANK:
                self._counts.blank += 1
            elif line.part is Part.SYSTEM:
                self._counts.system += 1
            else:
                at_ms = self._clock.at_ms(midnight + dt.timedelta(seconds=seconds))
                self._counts.backwards = self._clock.backwards
                yield from self._event(line, at_ms)

    def _anchor(self, lines: Iterable[tuple[int, str]]) -> tuple[dt.datetime, int]:
        """Midnight of the first line's day, and the first time shown (in seconds after it)."""
        wall = WallClock()
        first: int | None = None
        days = 0
        for number, text in lines:
            line = irc_lines.parse(text, number)
            if line.time is None:
                continue
            seconds = wall.seconds(line.time)
            first = seconds if first is None else first
            if self._hour is None or line.time[0] == self._hour:
                days = seconds // 86_400
                break
        date = self._date - dt.timedelta(days=days)
        return dt.datetime.combine(date, dt.time()), first or 0

    def _event(self, line: irc_lines.Line, at_ms: int) -> Iterator[Event]:
        account = self._account(line.nick)
        if line.part is Part.JOIN:
            self._counts.roster += 1
            yield from self._presence.join(at_ms, account, line.nick, line.host)
        elif line.part is Part.LEAVE:
            self._counts.roster += 1
            yield from self._presence.leave(at_ms, account, line.nick)
        elif line.part is Part.NICK:
            self._counts.roster += 1
            yield from self._presence.meet(at_ms, account, line.nick)
            yield from self._rename(at_ms, account, line.text)
        else:
            yield from self._presence.meet(at_ms, account, line.nick)
            self._counts.messages += 1
            kind = Kind.ACTION if line.part is Part.ACTION else Kind.TEXT
            yield Message(at_ms, account, kind, line.text)

    def _account(self, nick: str) -> str:
        return self._accounts.setdefault(account_of(nick), account_of(nick))

    def _rename(self, at_ms: int, account: str, new_nick: str) -> Iterator[Event]:
        own = account_of(new_nick)
        if self._accounts.get(own) == own and own != account:
            yield from self._presence.leave(at_ms, account, "")
            yield from self._presence.meet(at_ms, own, new_nick)
            return
        self._accounts[own] = account
        yield from self._presence.rename(at_ms, account, new_nick)


def log_title(name: str) -> str:
    """The room's title: the file's name without its endings.

    Args:
        name: The file's name.
    """
    return PurePath(name).name.split(".", 1)[0]
