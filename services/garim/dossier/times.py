"""How times are shown: cut to what policy allows, in Korea's zone for people."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from garim.statements.grants import TimeUnit

ZONE = timezone(timedelta(hours=9), "KST")
_ZONE_MS = 9 * 3_600_000
_UNIT_MS: dict[TimeUnit, int] = {"exact": 1, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
_OF_DAY: dict[TimeUnit, str] = {"minute": "%H:%M", "hour": "%H시", "day": ""}
_WHOLE: dict[TimeUnit, str] = {
    "exact": "%Y-%m-%d %H:%M KST",
    "minute": "%Y-%m-%d %H:%M KST",
    "hour": "%Y-%m-%d %H시 KST",
    "day": "%Y-%m-%d",
}


def cut(millis: int, unit: TimeUnit) -> int:
    """Return the first instant of the unit that an instant lies in; what came first never comes later.

    Args:
        millis: Milliseconds since the Unix epoch.
        unit: How exactly times are shown; a day is one in Korea.
    """
    return millis - (millis + _ZONE_MS) % _UNIT_MS[unit]


def day_number(millis: int) -> int:
    """Return the day in Korea of an instant in milliseconds since the Unix epoch, counted from 1970."""
    return (millis + _ZONE_MS) // _UNIT_MS["day"]


def day_of(millis: int) -> date:
    """Return the day in Korea of an instant in milliseconds since the Unix epoch."""
    return datetime.fromtimestamp(millis / 1000, ZONE).date()


def time_of_day(millis: int, unit: TimeUnit) -> str:
    """Return the time of the day in Korea, as exactly as it is shown; "" where only days are."""
    if unit == "exact":
        seconds = millis // 1_000 + _ZONE_MS // 1_000
        return f"{seconds // 3_600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return datetime.fromtimestamp(millis / 1000, ZONE).strftime(_OF_DAY[unit])


def day_and_time(millis: int, unit: TimeUnit) -> str:
    """Return day and time in Korea, to the minute at most."""
    return datetime.fromtimestamp(millis / 1000, ZONE).strftime(_WHOLE[unit])


def rfc3339(millis: int) -> str:
    """Return a time as RFC 3339 in UTC with milliseconds."""
    seconds, rest = divmod(millis, 1_000)
    day, second = divmod(seconds, 86_400)
    clock = f"{second // 3_600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    return f"{_utc_date(day)}T{clock}.{rest:03d}Z"


@lru_cache(maxsize=1_024)
def _utc_date(day: int) -> str:
    return datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m-%d")
