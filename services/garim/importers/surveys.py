"""A first look at an export: who is in it, how much, from when to when."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from garim.importers.detect import Format
from garim.importers.events import Counts, Member, Message
from garim.importers.lines import refuse_empty
from garim.importers.sources import ExportFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass over an export found.

    Args:
        format: Its format.
        title: The room's title.
        members: Everybody who occurs, in the order of the file, with all their names.
        members_at_start: Those who are there before anything happens.
        first_ms: Earliest message, milliseconds since the epoch, UTC.
        last_ms: Latest message.
        message_count: Number of messages.
        by_sender: Messages by account.
        counts: What became of each line.
    """

    format: Format
    title: str
    members: tuple[Member, ...]
    members_at_start: tuple[Member, ...]
    first_ms: int
    last_ms: int
    message_count: int
    by_sender: Mapping[str, int] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)


def survey(
    path: Path,
    format: str = "auto",  # noqa: A002 - the option's name in the command line too
    timezone: str = "",
    *,
    known: Iterable[Member] = (),
    day_first: bool | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Survey:
    """Read the whole export once, keeping only its people and figures.

    Args:
        path: The file.
        format: As in `open_chat`.
        timezone: As in `open_chat`.
        known: As in `open_chat`.
        day_first: As in `open_chat`.
        progress: Called now and then with the bytes read and the bytes in all.

    Raises:
        RefusedError: As `open_chat`; CHAT_EMPTY where the export holds no message.
    """
    export = ExportFile(path, format, timezone, known, day_first)
    presence, counts = export.presence(), Counts()
    senders: Counter[str] = Counter()
    first_ms, last_ms = 0, 0
    for position, event in enumerate(export.events(presence, counts)):
        if isinstance(event, Message):
            first_ms = min(first_ms, event.at_ms) if senders else event.at_ms
            last_ms = max(last_ms, event.at_ms) if senders else event.at_ms
            senders[event.sender] += 1
        if progress is not None and position % 1000 == 0:
            progress(export.file.bytes_read, export.file.bytes_total)
    if not senders:
        raise refuse_empty()
    silent = [member for account, member in export.profiles.items() if account not in presence.members]
    there = (*(presence.members[account] for account in presence.unannounced), *silent)
    return Survey(
        format=export.format,
        title=export.title,
        members=(*presence.members.values(), *silent),
        members_at_start=there,
        first_ms=first_ms,
        last_ms=last_ms,
        message_count=senders.total(),
        by_sender=dict(senders),
        counts=counts,
    )
