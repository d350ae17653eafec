"""A KakaoTalk room while its export is read: accounts, notices and messages turned into events."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from garim.importers.events import Counts, Event, Message
from garim.importers.kakaotalk_notices import Change, Notice, is_deleted, kind_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from garim.importers.rosters import Presence
    from garim.importers.times import EventClock


def account_of(name: str) -> str:
    """The account of a shown name: exports hold no ids, so the name is all there is.

    Args:
        name: The name as shown; composed and decomposed Hangul give one account.
    """
    return f"kakao:{unicodedata.normalize('NFC', name).strip()}"


class Room:
    """Turns what an export shows into events, and counts it.

    Args:
        presence: The roster.
        clock: Gives the instants.
        counts: Where lines and messages are counted.
    """

    def __init__(self, presence: Presence, clock: EventClock, counts: Counts) -> None:
        self._presence = presence
        self._clock = clock
        self._counts = counts

    def message(self, shown: dt.datetime, sender: str, body: str) -> Iterator[Event]:
        """A message, or the notice that one was deleted.

        Args:
            shown: Its time as exported.
            sender: The name shown.
            body: All its lines.
        """
        at_ms, name = self._at_ms(shown), unicodedata.normalize("NFC", sender).strip()
        yield from self._presence.meet(at_ms, account_of(name), name)
        if is_deleted(body):
            self._counts.deleted += 1
            return
        self._counts.messages += 1
        yield Message(at_ms, account_of(name), kind_of(body), body)

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
            yield from self._presence.meet(at_ms, account_of(notice.actor), notice.actor)
        for name in notice.names:
            change = self._presence.join if notice.change is Change.IN else self._presence.leave
            yield from change(at_ms, account_of(name), name)

    def knows(self, names: tuple[str, ...]) -> bool:
        """Whether each of them is a member already.

        Args:
            names: Names as shown.
        """
        return all(account_of(name) in self._presence.members for name in names)

    def _at_ms(self, shown: dt.datetime) -> int:
        at_ms = self._clock.at_ms(shown)
        self._counts.backwards = self._clock.backwards
        return at_ms
