"""The values that stand in a document's fields: instants, names and numbers, identifiers."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

KST = dt.timezone(dt.timedelta(hours=9))
"""The offset in which a bare date begins: Korea has no daylight saving time."""

_INSTANT = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?P<time>T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?(?:Z|[+-][0-9]{2}:[0-9]{2}))?"
)
_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_CONTROLS = frozenset({"Cc", "Cn", "Co", "Cs", "Zl", "Zp"})
_BIDI = frozenset(map(chr, [0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]))
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def parse_instant(text: str) -> int:
    """Read an RFC 3339 date-time, or a bare date, which means its first second in Korea (UTC+09:00).

    Args:
        text: `2026-11-02T09:00:00+09:00`, with three digits of fraction at most, or `2026-11-02`.

    Returns:
        Milliseconds since 1970-01-01T00:00:00Z.

    Raises:
        ValueError: Not such an instant.
    """
    match = _INSTANT.fullmatch(text)
    if match is None or text.endswith("-00:00"):
        raise ValueError("not an instant")
    if match["time"] is None:
        day = dt.date.fromisoformat(text)
        moment = dt.datetime(day.year, day.month, day.day, tzinfo=KST)
    else:
        moment = dt.datetime.fromisoformat(text)
    return (moment - _EPOCH) // dt.timedelta(milliseconds=1)


def write_instant(instant_ms: int) -> str:
    """Return an instant (milliseconds since 1970) as a document writes it: RFC 3339 in UTC+09:00."""
    moment = (_EPOCH + dt.timedelta(milliseconds=instant_ms)).astimezone(KST)
    return moment.isoformat(timespec="milliseconds" if instant_ms % 1000 else "seconds")


def _instant(value: object) -> int:
    if isinstance(value, str):
        try:
            return parse_instant(value)
        except (ValueError, OverflowError):
            pass
    raise PydanticCustomError(
        "instant", "write RFC 3339 with an offset, or a bare date (its first second, +09:00)"
    )


def _plain(text: str) -> str:
    if (
        unicodedata.normalize("NFKC", text) != text
        or any(unicodedata.category(char) in _UNSEEN for char in text)
        or " ".join(text.split()) != text
    ):
        raise PydanticCustomError(
            "plain_text", "write it in NFKC form, with single spaces and no invisible characters"
        )
    return text


def _verbatim(text: str) -> str:
    if (
        unicodedata.normalize("NFC", text) != text
        or any(unicodedata.category(char) in _CONTROLS or char in _BIDI for char in text)
        or text.strip() != text
    ):
        raise PydanticCustomError(
            "verbatim_text", "write it in NFC form, without control characters or spaces around it"
        )
    return text


Instant = Annotated[
    int,
    BeforeValidator(_instant),
    WithJsonSchema(
        {
            "type": "string",
            "description": "RFC 3339 with an offset, or a date: its first second in UTC+09:00.",
        }
    ),
]
"""An instant, in milliseconds since 1970; a string in the document."""

Plain = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_plain)]
"""A name or number with one spelling only: it takes part in a document's identity."""

Verbatim = Annotated[str, StringConstraints(min_length=1, max_length=320), AfterValidator(_verbatim)]
"""A value as the operator's data has it."""

Prose = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(_verbatim)]
"""A sentence or two of a person."""

Pseudonym = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z_]{0,31}-[0-9A-Z]{5}-[0-9A-Z]{5}\Z")]
"""What stands for a person or a value in one dossier: `P-7K4Q2-M9XAT`."""

MessageNumber = Annotated[str, StringConstraints(pattern=r"^C[1-9][0-9]{0,8}-[0-9]{4,12}\Z")]
"""A citable message of one dossier: `C3-0127`."""
