"""One export on disk: its format, title and zone, and a fresh stream of its events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garim.importers import kakaotalk_notices, whatsapp_notices
from garim.importers.detect import CHOICES, DIALECTS, STAMPS, Format, detect_format
from garim.importers.irc import LogReader, log_title
from garim.importers.kakaotalk_csv import TableReader, table_title
from garim.importers.kakaotalk_text import TextReader, title_of
from garim.importers.lines import ChatFile
from garim.importers.rooms import Room
from garim.importers.rosters import Presence
from garim.importers.telegram import TelegramReader, telegram_title
from garim.importers.times import EventClock, zone_named
from garim.importers.whatsapp_lines import DateOrder
from garim.importers.whatsapp_text import WhatsAppReader, whatsapp_title
from garim.statements.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from garim.importers.events import Counts, Event, Member

ZONES = {"irc": "UTC", "kakaotalk": "Asia/Seoul", "whatsapp": "Asia/Seoul", "telegram": "Asia/Seoul"}
"""The zone in which a network's exports are read where none is named."""
_SHOW_SECONDS = frozenset({Format.KAKAOTALK_CSV, Format.WHATSAPP_IOS, Format.TELEGRAM_JSON})


class ExportFile:
    """A chat export, recognised and ready to be read, as often as wanted.

    Args:
        path: The file.
        format: `auto`, `irc`, `kakaotalk`, or a `Format`.
        timezone: IANA name of the zone of its times; empty for that of its network.
        known: Members of whom more is known than the export shows.
        day_first: Whether dates name the day before the month; None: the file shows it.

    Raises:
        RefusedError: CHAT_FILE, CHAT_EMPTY, CHAT_ENCODING, CHAT_FORMAT_UNKNOWN, CHAT_FORMAT, CHAT_TIMEZONE.
    """

    def __init__(
        self,
        path: Path,
        format: str,  # noqa: A002 - the option's name in the command line too
        timezone: str,
        known: Iterable[Member],
        day_first: bool | None = None,
    ) -> None:
        self._order = None
        if day_first is not None:
            self._order = DateOrder.DAY_FIRST if day_first else DateOrder.MONTH_FIRST
        self.file = ChatFile(path)
        self.format = _format(self.file, format)
        self.timezone = timezone or ZONES[self.format.network]
        self.profiles = {member.account: member for member in known}
        self.title = _title(self.file, self.format)
        self._zone = zone_named(self.timezone)

    def presence(self, start: Iterable[Member] = ()) -> Presence:
        """A roster before the first line.

        Args:
            start: Who is in the room then.
        """
        return Presence(start, self.profiles)

    def events(self, presence: Presence, counts: Counts) -> Iterator[Event]:
        """The events of the file, from its beginning.

        Args:
            presence: The roster, which follows the events.
            counts: Where its lines are counted.

        Raises:
            RefusedError: CHAT_LINE, CHAT_ENCODING, CHAT_DATE, CHAT_DATE_ORDER, CHAT_SEVERAL.
        """
        step_ms = 1000 if self.format in _SHOW_SECONDS else 60_000
        clock = EventClock(self._zone, step_ms)
        if self.format is Format.IRC:
            return LogReader(self.file.path.name, presence, clock, counts).read(self.file)
        if self.format is Format.TELEGRAM_JSON:
            return TelegramReader(presence, clock, counts).read(self.file)
        if self.format in STAMPS:
            room = Room(presence, clock, counts, "whatsapp", whatsapp_notices.parts_of)
            return WhatsAppReader(STAMPS[self.format], self._order, room, counts).read(self.file)
        room = Room(presence, clock, counts, "kakao", kakaotalk_notices.parts_of)
        if self.format is Format.KAKAOTALK_CSV:
            return TableReader(room, counts).read(self.file)
        return TextReader(DIALECTS[self.format], room, counts).read(self.file)


def _format(file: ChatFile, asked: str) -> Format:
    if asked not in CHOICES:
        raise RefusedError(
            "CHAT_FORMAT", f"unknown format; choose one of {', '.join(CHOICES)}", field="format"
        )
    among = [known for known in Format if asked in {"auto", known.value, known.network}]
    return detect_format(file.head, file.path.name, among)


def _title(file: ChatFile, known: Format) -> str:
    name = file.path.name
    if known is Format.IRC:
        return log_title(name)
    if known is Format.KAKAOTALK_CSV:
        return table_title(name)
    if known in STAMPS:
        return whatsapp_title(name)
    head = file.head.decode("utf-8-sig", errors="ignore")
    if known is Format.TELEGRAM_JSON:
        return telegram_title(head, log_title(name))
    first = head.lstrip().split("\n", 1)[0]
    return title_of(first) or log_title(name)
