"""The line forms of KakaoTalk's text exports, one dialect for each app and language.

Only one dialect is read in one file: a member who pastes an excerpt of another app's export into a message
must not make it speak for others.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from dataclasses import dataclass

from garim.importers.times import MONTHS, hour_of_day

_SPACE = "[ \u00a0\u202f]"
_HALF_KO = f"(?:(?P<half>오전|오후){_SPACE})?"
_HALF_EN = f"(?:{_SPACE}(?P<half>AM|PM))?"
_CLOCK = "(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
_YMD_KO = "(?P<year>[0-9]{4})년 (?P<month>[0-9]{1,2})월 (?P<day>[0-9]{1,2})일"
_YMD_DOT = r"(?P<year>[0-9]{4})\. (?P<month>[0-9]{1,2})\. (?P<day>[0-9]{1,2})\."
_MDY_EN = f"(?P<month>{'|'.join(MONTHS)}) (?P<day>[0-9]{{1,2}}), (?P<year>[0-9]{{4}})"
_WEEKDAY_KO = "[월화수목금토일]요일"
_WEEKDAY_EN = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"

_STAMP_KO = f"{_YMD_KO} {_HALF_KO}{_CLOCK}"
_STAMP_DOT = f"{_YMD_DOT} {_HALF_KO}{_CLOCK}"
_STAMP_EN = f"{_MDY_EN},? {_CLOCK}{_HALF_EN}"
_STAMP_EN_AT = f"{_MDY_EN},? at {_CLOCK}{_HALF_EN}"
_TIME_KO = f"(?P<half>오전|오후){_SPACE}{_CLOCK}"


class Part(enum.Enum):
    """What a line of a text export is."""

    MESSAGE = "message"
    NOTICE = "notice"
    """Stamped, without a sender: the app says it."""
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Line:
    """One recognised line.

    Args:
        part: What it is.
        date: Year, month and day, where the line shows them.
        time: Hour of the day and minute, where the line shows them.
        sender: The name shown before a message.
        body: The first line of a message, or a notice.
    """

    part: Part
    date: tuple[int, int, int] | None = None
    time: tuple[int, int] | None = None
    sender: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Dialect:
    """The forms of one app's export in one language.

    Args:
        stamped: A line that begins with a time; its group `rest` is what follows, `sender` (Windows) a
            sender in brackets.
        day: A line that only names a day.
        day_after_blank: Whether a day line counts only after an empty line. So it is where each message
            carries its own date: there it is decoration, and a message may hold such a line itself.
        dated: Whether each stamp carries its date.
        bare_notices: Whether notices stand without a stamp.
    """

    stamped: re.Pattern[str]
    day: re.Pattern[str]
    day_after_blank: bool = True
    dated: bool = True
    bare_notices: bool = False

    def parse(self, text: str, number: int) -> Line | None:
        """What the line is, or None for a line that continues the one before it.

        Args:
            text: The line. macOS may have decomposed its Hangul (NFD); such a stamp is read all the same.
            number: Its number, for refusals.

        Raises:
            RefusedError: CHAT_LINE for a time of day that does not exist.
        """
        found = self._parse(text, number)
        if found is None and not unicodedata.is_normalized("NFC", text):
            found = self._parse(unicodedata.normalize("NFC", text), number)
        return found

    def _parse(self, text: str, number: int) -> Line | None:
        if day := self.day.match(text):
            return Line(Part.DAY, date=_date(day))
        stamp = self.stamped.match(text)
        if stamp is None:
            return None
        parts = stamp.groupdict()
        time = (hour_of_day(int(parts["hour"]), parts["half"], number), int(parts["minute"]))
        date = _date(stamp) if self.dated else None
        rest = parts["rest"]
        if rest is None:
            return Line(Part.DAY, date=date, time=time)
        if parts.get("sender") is not None:
            return Line(Part.MESSAGE, date, time, parts["sender"], rest)
        return _split(rest, date, time, is_notice=parts.get("mark") == ": ")


def _split(rest: str, date: tuple[int, int, int] | None, time: tuple[int, int], *, is_notice: bool) -> Line:
    """Sender and body: parted by the first ` : `, as a body may hold more of them."""
    if is_notice:
        return Line(Part.NOTICE, date, time, body=rest)
    sender, colon, body = rest.partition(" : ")
    if not colon and rest.endswith(" :"):
        sender, colon = rest.removesuffix(" :"), ":"
    if not colon or not sender.strip():
        return Line(Part.NOTICE, date, time, body=body.strip() if colon else rest)
    return Line(Part.MESSAGE, date, time, sender, body)


def _date(match: re.Match[str]) -> tuple[int, int, int]:
    month = match["month"]
    return int(match["year"]), MONTHS.get(month) or int(month), int(match["day"])


def _stamped(stamp: str) -> re.Pattern[str]:
    return re.compile(f"{stamp}(?:(?P<mark>, |: )(?P<rest>.*))?$", re.DOTALL)


_DAY_KO = re.compile(f"(?:-+ *)?{_YMD_KO} {_WEEKDAY_KO}(?: *-+)? *$")
_DAY_EN = re.compile(f"(?:-+ *)?{_WEEKDAY_EN}, {_MDY_EN}(?: *-+)? *$")

ANDROID_KO = Dialect(_stamped(_STAMP_KO), _DAY_KO)
ANDROID_EN = Dialect(_stamped(_STAMP_EN), _DAY_EN)
IOS_KO = Dialect(_stamped(_STAMP_DOT), _DAY_KO)
IOS_KO_DAYS = Dialect(
    re.compile(f"{_TIME_KO}(?P<mark>, |: )(?P<rest>.*)$", re.DOTALL),
    _DAY_KO,
    day_after_blank=False,
    dated=False,
)
IOS_EN = Dialect(_stamped(_STAMP_EN_AT), _DAY_EN)
WINDOWS_KO = Dialect(
    re.compile(rf"\[(?P<sender>.+?)\] \[{_HALF_KO}{_CLOCK}\](?: (?P<rest>.*)|(?P<none>)$)", re.DOTALL),
    re.compile(f"-{{5,}} {_YMD_KO} {_WEEKDAY_KO} -{{5,}} *$"),
    day_after_blank=False,
    dated=False,
    bare_notices=True,
)
WINDOWS_EN = Dialect(
    re.compile(rf"\[(?P<sender>.+?)\] \[{_CLOCK}{_HALF_EN}\](?: (?P<rest>.*)|(?P<none>)$)", re.DOTALL),
    re.compile(f"-{{5,}} {_WEEKDAY_EN}, {_MDY_EN} -{{5,}} *$"),
    day_after_blank=False,
    dated=False,
    bare_notices=True,
)

TITLES = (
    re.compile(r"(?P<title>.+?) ?님과 카카오톡 대화$"),
    re.compile(r"(?P<title>.+) 카카오톡 대화$"),
    re.compile(r"KakaoTalk Chats? with (?P<title>.+)$"),
)
SAVED = re.compile(r"(?:저장한 날짜|Date Saved|Saved Date) ?: ?[0-9A-Za-z]")
