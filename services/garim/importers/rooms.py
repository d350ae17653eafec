"""A room in whose export a name is all that tells people apart: notices and messages become events."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from garim.importers.events import Counts, Event, Message
from garim.importers.kakaotalk_notices import Change, Notice

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from garim.importers.events import Kind
    from garim.importers.rosters import Presence
    from garim.importers.times import EventClock


class Room:
    """Turns what an export shows into events, and counts it; exports hold no ids, so a name is an account.

    Args:
        presence: The roster.
        clock: Gives the instants.
        counts: Where lines and messages are counted.
        prefix: What account ids begin with.
        parts_of: What a message's body consists of; nothing where only the notice of its deletion is left.
    """

    def __init__(
        self,
        presence: Presence,
        clock: EventClock,
        counts: Counts,
        prefix: str,
        parts_of: Callable[[str], tuple[tuple[Kind, str], ...]],
    ) -> None:
        self._presence = presence
        self._clock = clock
        self._counts = counts
        self._prefix = prefix
        self._parts_of = parts_of

    def _account(self, name: str) -> str:
        """The account of a shown name; composed and decomposed Hangul give one."""
        return f"{self._prefix}:{unicodedata.normalize('NFC', name).strip()}"

    def message(self, shown: dt.datetime, sender: str, body: str) -> Iterator[Event]:
        """A message, or the notice that one was deleted.

        Args:
            shown: Its time as exported.
            sender: The name shown.
            body: All its lines.
        """
        at_ms, name = self._at_ms(shown), unicodedata.normalize("NFC", sender).strip()
        yield from self._presence.meet(at_ms, self._account(name), name)
        parts = self._parts_of(body)
        self._counts.deleted += not parts
        for place, (kind, text) in enumerate(parts):
            self._counts.messages += 1
            yield Message(self._at_ms(shown) if place else at_ms, self._account(name), kind, text)

    def notice(self, shown: dt.datetime, notice: Notice) -> Iterator[Event]:
        """A notice of the app.

        Args:
            shown: Its time as exported, or that of the line before it.
            notice: What it says.
        """
        if notice.change is Change.DELETED:
            self._counts.deleted += 1
            return
        if notice.change is Change.OTHER:
            self._counts.system += 1
            return
        self._counts.roster += 1
        at_ms = self._at_ms(shown)
        if notice.actor:
            yield from self._presence.meet(at_ms, self._account(notice.actor), notice.actor)
        for name in notice.names:
            change = self._presence.join if notice.change is Change.IN else self._presence.leave
            yield from change(at_ms, self._account(name), name)

    def knows(self, names: tuple[str, ...]) -> bool:
        """Whether each of them is a member already.

        Args:
            names: Names as shown.
        """
        return all(self._account(name) in self._presence.members for name in names)

    def _at_ms(self, shown: dt.datetime) -> int:
        at_ms = self._clock.at_ms(shown)
        self._counts.backwards = self._clock.backwards
        return at_ms
