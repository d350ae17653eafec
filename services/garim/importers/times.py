"""From the clock on the wall, as exports show it, to milliseconds since the epoch."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from garim.importers.lines import refuse_line
from garim.statements.refusal import RefusedError

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("January", "Jan"),
            ("February", "Feb"),
            ("March", "Mar"),
            ("April", "Apr"),
            ("May",),
            ("June", "Jun"),
            ("July", "Jul"),
            ("August", "Aug"),
            ("September", "Sep", "Sept"),
            ("October", "Oct"),
            ("November", "Nov"),
            ("December", "Dec"),
        ),
        start=1,
    )
    for name in names
}

FIRST_YEAR = 1988
"""The year of IRC's birth: no chat is older, and instants stay positive."""

_AFTERNOON = frozenset({"오후", "PM"})


def zone_named(name: str) -> zoneinfo.ZoneInfo:
    """The time zone of an export.

    Args:
        name: IANA name, such as `Asia/Seoul`.

    Raises:
        RefusedError: CHAT_TIMEZONE, where there is none of that name.
    """
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise RefusedError(
            "CHAT_TIMEZONE", "there is no such time zone; name one as in Asia/Seoul or UTC", field="timezone"
        ) from None


def hour_of_day(hour: int, half: str | None, number: int) -> int:
    """The hour from 0 to 23; 오전 12시 (12 AM) is midnight, 오후 12시 (12 PM) noon.

    Args:
        hour: The hour as shown.
        half: `오전`, `오후`, `AM`, `PM`, or None on a 24-hour clock.
        number: The line's number, for the refusal.

    Raises:
        RefusedError: CHAT_LINE for an hour that the clock does not have.
    """
    if half is None:
        if hour > 23:
            raise refuse_line(number, "shows a time that does not exist; export the chat again")
        return hour
    if not 1 <= hour <= 12:
        raise refuse_line(number, "shows a time that does not exist; export the chat again")
    return hour % 12 + (12 if half in _AFTERNOON else 0)


def moment(date: tuple[int, int, int], time: tuple[int, int, int], number: int) -> dt.datetime:
    """A date and a time of day, without zone.

    Args:
        date: Year, month, day.
        time: Hour of the day, minute, second.
        number: The line's number, for the refusal.

    Raises:
        RefusedError: CHAT_LINE for a date or time that does not exist.
    """
    try:
        shown = dt.datetime(*date, *time)  # noqa: DTZ001 - the zone is applied by EventClock
    except ValueError:
        raise refuse_line(number, "shows a date or time that does not exist; export the chat again") from None
    return plausible(shown, number)


def plausible(shown: dt.datetime, number: int) -> dt.datetime:
    """The same time, if a chat can be that old.

    Args:
        shown: A time as exported.
        number: The line's number, for the refusal.

    Raises:
        RefusedError: CHAT_LINE for a year before 1988.
    """
    if shown.year < FIRST_YEAR:
        raise refuse_line(number, f"shows a year before {FIRST_YEAR}; export the chat again")
    return shown


class EventClock:
    """Gives each event its instant and keeps the order of events that share a minute (or second).

    The n-th event of one shown instant lies n milliseconds after it, up to the last millisecond before the
    next. Times that go backwards are kept as exported and counted.

    Args:
        zone: The zone of the export's times. A time that a clock change repeats is its first occurrence.
        step_ms: What one shown unit lasts: 60,000 for minutes, 1,000 for seconds.
    """

    def __init__(self, zone: dt.tzinfo, step_ms: int) -> None:
        self.backwards = 0
        self._zone = zone
        self._step_ms = step_ms
        self._shown_ms: int | None = None
        self._nth = 0

    def at_ms(self, shown: dt.datetime) -> int:
        """The instant of the next event.

        Args:
            shown: Its time as exported, without zone (or with one, which then counts).

        Returns:
            Milliseconds since the epoch, UTC.
        """
        aware = shown if shown.tzinfo else shown.replace(tzinfo=self._zone)
        shown_ms = int(aware.timestamp()) * 1000
        if shown_ms == self._shown_ms:
            self._nth = min(self._nth + 1, self._step_ms - 1)
        else:
            if self._shown_ms is not None and shown_ms < self._shown_ms:
                self.backwards += 1
            self._shown_ms, self._nth = shown_ms, 0
        return shown_ms + self._nth
