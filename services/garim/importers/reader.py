"""The way in: one export as a stream of events with complete rosters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garim.importers.events import Chat, Counts
from garim.importers.sources import ExportFile
from garim.importers.surveys import Survey, survey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from garim.importers.detect import Format
    from garim.importers.events import Event, Member


class ChatReader:
    """The events of one export; each iteration reads the file anew.

    Args:
        export: The file.
        looked: What a first pass over it found.
    """

    def __init__(self, export: ExportFile, looked: Survey) -> None:
        self._export = export
        self._looked = looked
        self.skipped = Counts()
        """What became of the lines so far, in this iteration."""

    @property
    def format(self) -> Format:
        """Its format."""
        return self._export.format

    @property
    def title(self) -> str:
        """The room's title."""
        return self._export.title

    @property
    def timezone(self) -> str:
        """IANA name of the zone in which its times are read."""
        return self._export.timezone

    @property
    def survey(self) -> Survey:
        """What the first pass found."""
        return self._looked

    @property
    def bytes_read(self) -> int:
        """Bytes of the file read so far, in this iteration."""
        return self._export.file.bytes_read

    @property
    def bytes_total(self) -> int:
        """Bytes in the file."""
        return self._export.file.bytes_total

    def __iter__(self) -> Iterator[Event]:
        """`Chat` first, then messages and roster changes in the order of the file.

        Raises:
            RefusedError: Only where the file changed since the first pass.
        """
        self.skipped = Counts()
        start = self._looked.members_at_start
        yield Chat(self.title, self.format.network, self.timezone, start)
        yield from self._export.events(self._export.presence(start), self.skipped)


def open_chat(
    path: Path,
    format: str = "auto",  # noqa: A002 - the option's name in the command line too
    timezone: str = "",
    *,
    known: Iterable[Member] = (),
    day_first: bool | None = None,
    looked: Survey | None = None,
) -> ChatReader:
    """Open an export; it is read through once before, so that a bad line refuses it before anything is sent.

    Args:
        path: The file.
        format: `auto`, `irc`, `kakaotalk`, `whatsapp`, `telegram`, or one of `Format`.
        timezone: IANA name of the zone of its times; empty for the network's own (IRC: UTC,
            the others: Asia/Seoul; Telegram's instants need none).
        known: Members of whom more is known than the export shows (`read_roster`); they take the place of
            what the export says, and those who never act are in the room from its start.
        day_first: Whether dates such as 3/4/24 name the day first (WhatsApp); None: the whole file decides.
        looked: The survey of this very file with the same arguments, where there is one already.

    Raises:
        RefusedError: CHAT_FILE, CHAT_EMPTY, CHAT_ENCODING, CHAT_FORMAT_UNKNOWN, CHAT_FORMAT, CHAT_TIMEZONE,
            CHAT_DATE, CHAT_DATE_ORDER, CHAT_LINE, CHAT_SEVERAL.
    """
    profiles = tuple(known)
    export = ExportFile(path, format, timezone, profiles, day_first)
    return ChatReader(export, looked or survey(path, format, timezone, known=profiles, day_first=day_first))
