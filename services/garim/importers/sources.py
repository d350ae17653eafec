"""One export on disk: its format, title and zone, and a fresh stream of its events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garim.importers.detect import CHOICES, DIALECTS, Format, detect_format
from garim.importers.irc import LogReader, log_title
from garim.importers.kakaotalk_csv import TableReader, table_title
from garim.importers.kakaotalk_room import Room
from garim.importers.kakaotalk_text import TextReader, title_of
from garim.importers.lines import ChatFile
from garim.importers.rosters import Presence
from garim.importers.times import EventClock, zone_named
from garim.statements.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from garim.importers.events import Counts, Event, Member

ZONES = {"irc": "UTC", "kakaotalk": "Asia/Seoul"}
"""The zone in which a network's exports are read where none is named."""


class ExportFile:
    """A chat export, recognised and ready to be read, as often as wanted.

    Args:
        path: The file.
        format: `auto`, `irc`, `kakaotalk`, or a `Format`.
        timezone: IANA name of the zone of its times; empty for that of its network.
        known: Members of whom more is known than the export shows.

    Raises:
        RefusedError: CHAT_FILE, CHAT_EMPTY, CHAT_ENCODING, CHAT_FORMAT_UNKNOWN, CHAT_FORMAT, CHAT_TIMEZONE.
    """

    def __init__(
        self,
        path: Path,
        format: str,  # noqa: A002 - the option's name in the command line too
        timezone: str,
        known: Iterable[Member],
    ) -> None:
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
            RefusedError: CHAT_LINE, CHAT_ENCODING, CHAT_DATE.
        """
        step_ms = 1000 if self.format is Format.KAKAOTALK_CSV else 60_000
        clock = EventClock(self._zone, step_ms)
        if self.format is Format.IRC:
            return LogReader(self.file.path.name, presence, clock, counts).read(self.file)
        room = Room(presence, clock, counts)
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
    first = file.head.decode("utf-8-sig", errors="ignore").lstrip().split("\n", 1)[0]
    return title_of(first) or log_title(name)
