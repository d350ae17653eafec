"""The stamps of WhatsApp's exports, and the order of day and month that a whole file shows."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from garim.importers.lines import refuse_line
from garim.importers.times import hour_of_day, moment
from garim.importers.whatsapp_notices import MARKS
from garim.statements.refusal import RefusedError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

_SPACE = "[ \u00a0\u202f]"
_PART = rf"(?:\.{_SPACE}?|[/-])"
_DATE = rf"(?P<a>[0-9]{{1,4}}){_PART}(?P<b>[0-9]{{1,2}}){_PART}(?P<c>[0-9]{{1,4}})\.?"
_HALVES = r"오전|오후|[AaPp]\.?[ \u00a0\u202f]?[Mm]\.?"
_CLOCK = (
    rf"(?:(?P<before>오전|오후){_SPACE})?(?P<hour>[0-9]{{1,2}})[:.](?P<minute>[0-9]{{2}})"
    rf"(?:[:.](?P<second>[0-9]{{2}}))?(?:{_SPACE}?(?P<after>{_HALVES}))?"
)
ANDROID = re.compile(rf"[{MARKS}]*{_DATE},?{_SPACE}+{_CLOCK} - (?P<rest>.*)$", re.DOTALL)
IOS = re.compile(rf"[{MARKS}]*\[{_DATE},?{_SPACE}+{_CLOCK}\] (?P<rest>.*)$", re.DOTALL)


class DateOrder(enum.Enum):
    """In which order a date names its parts."""

    DAY_FIRST = "day first"
    MONTH_FIRST = "month first"


@dataclass(frozen=True, slots=True)
class Stamped:
    """A line that begins with a time.

    Args:
        number: Its number.
        date: The date's three numbers, in the order shown.
        time: Hour of the day, minute, second.
        rest: What follows.
    """

    number: int
    date: tuple[str, str, str]
    time: tuple[int, int, int]
    rest: str

    def shown(self, order: DateOrder) -> dt.datetime:
        """The time, without zone.

        Args:
            order: How to read a date whose year stands last.

        Raises:
            RefusedError: CHAT_LINE for a time that does not exist.
        """
        a, b, c = self.date
        if len(a) == 4:
            return moment((int(a), int(b), int(c)), self.time, self.number)
        year = int(c) + (2000 if len(c) == 2 else 0)
        day, month = (a, b) if order is DateOrder.DAY_FIRST else (b, a)
        return moment((year, int(month), int(day)), self.time, self.number)


def parse(form: re.Pattern[str], text: str, number: int) -> Stamped | None:
    """The line's stamp, or None where it has none.

    Args:
        form: `ANDROID` or `IOS`.
        text: The line.
        number: Its number.

    Raises:
        RefusedError: CHAT_LINE for a time that does not exist.
    """
    found = form.match(text)
    if found is None:
        return None
    half = found["before"] or found["after"]
    if half and half[0] in "aApP":
        half = "PM" if half[0] in "pP" else "AM"
    # Some phones show midnight on a twelve-hour clock as 0.
    hour = int(found["hour"]) or (12 if half else 0)
    time = hour_of_day(hour, half, number), int(found["minute"]), int(found["second"] or 0)
    return Stamped(number, (found["a"], found["b"], found["c"]), time, found["rest"])


def order_of(form: re.Pattern[str], lines: Iterable[tuple[int, str]]) -> DateOrder:
    """How a file writes its dates: by a number above 12, else by the order in which time goes forwards.

    Args:
        form: `ANDROID` or `IOS`.
        lines: Number and text of each line.

    Raises:
        RefusedError: CHAT_DATE_ORDER where nothing tells; CHAT_LINE where two lines contradict each other.
    """
    seen: dict[DateOrder, int] = {}
    orders = _Forwards()
    for number, text in lines:
        stamp = parse(form, text, number)
        if stamp is None or len(stamp.date[0]) == 4:
            continue
        first, second = int(stamp.date[0]), int(stamp.date[1])
        if first > 12:
            seen.setdefault(DateOrder.DAY_FIRST, number)
        if second > 12:
            seen.setdefault(DateOrder.MONTH_FIRST, number)
        if len(seen) > 1:
            raise refuse_line(
                number,
                f"writes day and month in another order than line {min(seen.values())}",
            )
        orders.see(stamp)
    return next(iter(seen)) if seen else orders.order()


class _Forwards:
    """Which order of day and month lets time go forwards from line to line."""

    def __init__(self) -> None:
        self._last: dict[DateOrder, dt.datetime] = {}
        self._backwards = dict.fromkeys(DateOrder, 0)
        self._differ = False

    def see(self, stamp: Stamped) -> None:
        if max(int(stamp.date[0]), int(stamp.date[1])) > 12:
            return
        for order in DateOrder:
            shown = stamp.shown(order)
            self._backwards[order] += shown < self._last.get(order, shown)
            self._last[order] = shown
        self._differ |= int(stamp.date[0]) != int(stamp.date[1])

    def order(self) -> DateOrder:
        day, month = (self._backwards[order] for order in (DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST))
        if not self._differ or (day == 0 and month > 0):
            return DateOrder.DAY_FIRST
        if month == 0 and day > 0:
            return DateOrder.MONTH_FIRST
        raise RefusedError(
            "CHAT_DATE_ORDER",
            "nothing in the chat file tells day from month; say --day-first or --month-first",
            field="day_first",
        )
