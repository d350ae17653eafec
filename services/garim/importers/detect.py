"""Which export a file is, from its first bytes."""

from __future__ import annotations

import codecs
import csv
import enum
import re
from typing import TYPE_CHECKING

from garim.importers import kakaotalk_dialects as dialects
from garim.importers import whatsapp_lines
from garim.importers.kakaotalk_csv import columns_of
from garim.importers.kakaotalk_dialects import Dialect, Part
from garim.importers.lines import refuse_encoding
from garim.importers.telegram import is_telegram
from garim.statements.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable


class Format(enum.StrEnum):
    """The exports that are read; the KakaoTalk ones by app and language."""

    IRC = "irc"
    KAKAOTALK_ANDROID_KO = "kakaotalk-android-ko"
    KAKAOTALK_ANDROID_EN = "kakaotalk-android-en"
    KAKAOTALK_IOS_KO = "kakaotalk-ios-ko"
    """With the date before each message."""
    KAKAOTALK_IOS_KO_DAYS = "kakaotalk-ios-ko-days"
    """With lines that name the day."""
    KAKAOTALK_IOS_EN = "kakaotalk-ios-en"
    KAKAOTALK_WINDOWS_KO = "kakaotalk-windows-ko"
    KAKAOTALK_WINDOWS_EN = "kakaotalk-windows-en"
    KAKAOTALK_CSV = "kakaotalk-csv"
    WHATSAPP_ANDROID = "whatsapp-android"
    WHATSAPP_IOS = "whatsapp-ios"
    TELEGRAM_JSON = "telegram-json"
    """Telegram Desktop's `result.json` of one chat."""

    @property
    def network(self) -> str:
        """`irc`, `kakaotalk`, `whatsapp` or `telegram`."""
        return self.value.split("-", 1)[0]


STAMPS = {
    Format.WHATSAPP_ANDROID: whatsapp_lines.ANDROID,
    Format.WHATSAPP_IOS: whatsapp_lines.IOS,
}
"""How WhatsApp's exports write the time before a message."""

DIALECTS: dict[Format, Dialect] = {
    Format.KAKAOTALK_ANDROID_KO: dialects.ANDROID_KO,
    Format.KAKAOTALK_ANDROID_EN: dialects.ANDROID_EN,
    Format.KAKAOTALK_IOS_KO: dialects.IOS_KO,
    Format.KAKAOTALK_IOS_KO_DAYS: dialects.IOS_KO_DAYS,
    Format.KAKAOTALK_IOS_EN: dialects.IOS_EN,
    Format.KAKAOTALK_WINDOWS_KO: dialects.WINDOWS_KO,
    Format.KAKAOTALK_WINDOWS_EN: dialects.WINDOWS_EN,
}

CHOICES = tuple(
    dict.fromkeys(("auto", *(known.network for known in Format), *(known.value for known in Format)))
)
"""What may be asked for as a format."""

_IRC = re.compile(
    r"\[[0-9]{2}:[0-9]{2}(?::[0-9]{2})?\] (?:<\S|<[ @+%&~]\S| ?\* \S|-!- |=== )|=== \S+ \[\S*\] +has "
)


def detect_format(head: bytes, name: str, among: Iterable[Format] = tuple(Format)) -> Format:
    """The format that most lines of the head belong to.

    Args:
        head: The file's first bytes (64 KiB are enough); a character cut at its end is ignored.
        name: The file's name; only its ending is looked at, and only for tables.
        among: The formats to try.

    Raises:
        RefusedError: CHAT_FORMAT_UNKNOWN, with the formats that were tried; CHAT_ENCODING where the head is
            not UTF-8.
    """
    lines = _decoded(head).split("\n")
    tried = list(among)
    scores = {known: _score(known, lines) for known in tried}
    best = max(scores, key=lambda known: scores[known], default=None)
    if best is None or scores[best] == 0:
        table = name.lower().endswith(".csv") and Format.KAKAOTALK_CSV in tried
        hint = "; a table's first row must name date, user and message" if table else ""
        raise RefusedError(
            "CHAT_FORMAT_UNKNOWN",
            f"the file is none of the known chat exports (tried: {', '.join(tried)}){hint}",
            field="format",
        )
    return best


def _score(known: Format, lines: list[str]) -> int:
    if known is Format.IRC:
        return sum(1 for line in lines if _IRC.match(line))
    if known is Format.KAKAOTALK_CSV:
        return len(lines) if columns_of(_first_row(lines)) else 0
    if known is Format.TELEGRAM_JSON:
        return len(lines) if is_telegram("\n".join(lines)) else 0
    if known in STAMPS:
        return sum(1 for line in lines if STAMPS[known].match(line))
    return sum(1 for line in lines if _speaks(DIALECTS[known], line))


def _speaks(dialect: Dialect, text: str) -> bool:
    """Whether it is a message line of the dialect; a time that does not exist is judged when it is read."""
    try:
        line = dialect.parse(text.removesuffix("\r"), 1)
    except RefusedError:
        return True
    return line is not None and line.part is Part.MESSAGE


def _first_row(lines: list[str]) -> list[str]:
    try:
        return next(csv.reader([lines[0].removesuffix("\r")], strict=True), [])
    except csv.Error:
        return []


def _decoded(head: bytes) -> str:
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError as error:
        raise refuse_encoding(head.count(b"\n", 0, error.start) + 1) from None
