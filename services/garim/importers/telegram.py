"""Telegram Desktop's export as JSON (`result.json`): one object a message, read one at a time."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import TYPE_CHECKING, Any

from garim.importers.events import Kind, Message
from garim.importers.lines import refuse_line
from garim.importers.times import plausible
from garim.statements.refusal import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from garim.importers.events import Counts, Event
    from garim.importers.rosters import Presence
    from garim.importers.times import EventClock

MAX_MESSAGE_CHARS = 1 << 20
"""Longest object that is read as one message."""

_BEGIN = re.compile(r'(?<!\\)"messages"\s*:\s*\[')
_TITLE = re.compile(r'(?<!\\)"name"\s*:\s*("(?:[^"\\]|\\.)*")')
_SIGN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]')
"""A whole string, in which brackets mean nothing, or a bracket."""
_COMES = frozenset({"invite_members", "join_group_by_link", "join_group_by_request", "create_group"})
_GOES = frozenset({"remove_members"})
_MEDIA = {
    "sticker": Kind.STICKER,
    "voice_message": Kind.VOICE,
    "audio_file": Kind.VOICE,
    "video_message": Kind.VIDEO,
    "video_file": Kind.VIDEO,
    "animation": Kind.VIDEO,
}
_LINK = re.compile(r"https?://\S+")
NO_NAME = "Deleted Account"
"""What stands for somebody who has no account any more."""


def is_telegram(head: str) -> bool:
    """Whether a file begins as such an export.

    Args:
        head: Its beginning.
    """
    return head.lstrip().startswith("{") and bool(_BEGIN.search(head)) and '"type"' in head


def telegram_title(head: str, otherwise: str) -> str:
    """The chat's name, which stands before its messages.

    Args:
        head: The file's beginning.
        otherwise: The title of a chat without a name.
    """
    begin = _BEGIN.search(head)
    names = _TITLE.findall(head[: begin.start()] if begin else "")
    return str(json.loads(names[-1], strict=False)).strip() or otherwise if names else otherwise


def objects(lines: Iterable[tuple[int, str]], counts: Counts) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each message of an export with the number of its first line.

    Args:
        lines: Number and text of each line.
        counts: Where the lines around the messages are counted.

    Raises:
        RefusedError: CHAT_LINE for what is no JSON, CHAT_SEVERAL for an export of more than one chat.
    """
    scan = _Scan()
    lists = number = 0
    for number, text in lines:
        at = 0
        if not scan.depth:
            begin = _BEGIN.search(text)
            if begin is None:
                counts.head += 1
                continue
            lists += 1
            at, scan.depth = begin.end(), 1
        yield from scan.take(text, at, number)
        if lists + (scan.depth == 0 and bool(_BEGIN.search(text, scan.at))) > 1:
            raise RefusedError(
                "CHAT_SEVERAL", "the file holds several chats; export each one alone", field="path"
            )
    if scan.depth or not lists:
        raise refuse_line(number, "ends within the list of messages; is the file cut off?")


class _Scan:
    """Finds where the objects of a list begin and end; a JSON string never goes on over lines."""

    def __init__(self) -> None:
        self.depth = 0
        """1 within the list, more within a message, 0 outside."""
        self.at = 0
        """Behind the list's end, once that was seen."""
        self._parts: list[str] = []
        self._length = 0
        self._first = 0

    def take(self, text: str, at: int, number: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """Read a line from `at` on, up to its end or that of the list."""
        start = at
        for sign in _SIGN.finditer(text, at):
            if sign[0] in "{[":
                if self.depth == 1:
                    start, self._first = sign.start(), number
                self.depth += 1
            elif sign[0] in "}]":
                self.depth -= 1
                if self.depth == 1:
                    yield self._first, self._whole(text[start : sign.end()])
            if self.depth == 0:
                self.at = sign.end()
                return
        if self.depth > 1:
            self._keep(text[start:], number)

    def _keep(self, text: str, number: int) -> None:
        self._length += len(text)
        if self._length > MAX_MESSAGE_CHARS:
            raise refuse_line(number, "continues a message beyond any length of Telegram's; is it damaged?")
        self._parts.append(text)

    def _whole(self, last: str) -> dict[str, Any]:
        text = "\n".join([*self._parts, last])
        self._parts, self._length = [], 0
        try:
            value = json.loads(text)
        except (json.JSONDecodeError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise refuse_line(self._first, "begins a message that is no JSON object; export the chat again")
        return value


class TelegramReader:
    """Reads one export.

    Args:
        presence: The roster.
        clock: Gives the instants.
        counts: Where messages and lines are counted.
    """

    def __init__(self, presence: Presence, clock: EventClock, counts: Counts) -> None:
        self._presence = presence
        self._clock = clock
        self._counts = counts
        self._ids: dict[str, set[str]] = {}

    def read(self, lines: Iterable[tuple[int, str]]) -> Iterator[Event]:
        """The events of the file, which is read once more, first, for who has which id.

        Args:
            lines: Number and text of each line; can be iterated again.

        Raises:
            RefusedError: CHAT_LINE, CHAT_SEVERAL.
        """
        for _, one in objects(lines, type(self._counts)()):
            for name, account in (("from", "from_id"), ("actor", "actor_id")):
                if one.get(name) and one.get(account):
                    self._ids.setdefault(str(one[name]), set()).add(str(one[account]))
        for number, one in objects(lines, self._counts):
            shown = _shown(one, number)
            if one.get("type") == "service":
                yield from self._service(self._at_ms(shown), one)
            elif one.get("type") == "message":
                yield from self._message(shown, one, number)
            else:
                self._counts.note_unknown(number)

    def _account(self, name: str, known: object = None) -> str:
        """By id; a name without one has its only bearer's, where there is just one."""
        if known:
            return f"telegram:{known}"
        ids = self._ids.get(name, set())
        return f"telegram:{next(iter(ids))}" if len(ids) == 1 else f"telegram:name:{name}"

    def _meet(self, at_ms: int, name: object, known: object) -> Iterator[Event]:
        shown = str(name or NO_NAME).strip() or NO_NAME
        account = self._account(shown, known)
        yield from self._presence.meet(at_ms, account, shown)
        member = self._presence.members[account]
        if shown not in (member.name, *member.other_names):
            yield from self._presence.rename(at_ms, account, shown)

    def _at_ms(self, shown: dt.datetime) -> int:
        at_ms = self._clock.at_ms(shown)
        self._counts.backwards = self._clock.backwards
        return at_ms

    def _message(self, shown: dt.datetime, one: dict[str, Any], number: int) -> Iterator[Event]:
        at_ms = self._at_ms(shown)
        yield from self._meet(at_ms, one.get("from"), one.get("from_id"))
        account = self._account(str(one.get("from") or NO_NAME).strip() or NO_NAME, one.get("from_id"))
        for place, (kind, text) in enumerate(_parts(one, number)):
            self._counts.messages += 1
            yield Message(self._at_ms(shown) if place else at_ms, account, kind, text)

    def _service(self, at_ms: int, one: dict[str, Any]) -> Iterator[Event]:
        action = one.get("action")
        if action not in _COMES | _GOES:
            self._counts.system += 1
            return
        self._counts.roster += 1
        members = [str(name) for name in one.get("members") or () if name]
        goes = action in _GOES
        if one.get("actor") and not (goes and one["actor"] in members):
            yield from self._meet(at_ms, one["actor"], one.get("actor_id"))
        for name in members:
            change = self._presence.leave if goes else self._presence.join
            yield from change(at_ms, self._account(name), name)


def _shown(one: dict[str, Any], number: int) -> dt.datetime:
    """A message's instant, or the time shown where the export is too old to hold it."""
    try:
        if "date_unixtime" in one:
            return plausible(dt.datetime.fromtimestamp(int(one["date_unixtime"]), dt.UTC), number)
        return plausible(dt.datetime.fromisoformat(one["date"]), number)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        raise refuse_line(number, "begins a message without date_unixtime or date; export it again") from None


def _parts(one: dict[str, Any], number: int) -> Iterator[tuple[Kind, str]]:
    """What was sent, and then what was written with it; a message that is empty is a text without text."""
    text = _text(one.get("text", ""), number)
    kind = _attached(one)
    if kind is not None:
        yield kind, ""
    if place := one.get("location_information"):
        yield Kind.LOCATION, f"{place.get('latitude')}, {place.get('longitude')}"
    if poll := one.get("poll"):
        answers = (str(answer.get("text", "")) for answer in poll.get("answers", ()))
        yield Kind.TEXT, "\n".join((str(poll.get("question", "")), *answers))
    elif text or (kind is None and not place):
        yield Kind.LINK if _LINK.fullmatch(text) else Kind.TEXT, text


def _attached(one: dict[str, Any]) -> Kind | None:
    if "contact_information" in one:
        return Kind.CONTACT
    if "photo" in one:
        return Kind.PHOTO
    if "media_type" in one:
        return _MEDIA.get(str(one["media_type"]), Kind.FILE)
    return Kind.FILE if "file" in one else None


def _text(value: object, number: int) -> str:
    """The text: a string, or a list of strings and of objects that hold one."""
    if isinstance(value, str):
        return value
    pieces = value if isinstance(value, list) else [value]
    texts: list[Any] = [piece.get("text") if isinstance(piece, dict) else piece for piece in pieces]
    # A link may stand under other words, and then names more than they do.
    links = [piece["href"] for piece in pieces if isinstance(piece, dict) and piece.get("href")]
    if not all(isinstance(piece, str) for piece in (*texts, *links)):
        raise refuse_line(number, "begins a message whose text has no known form; export the chat again")
    return "".join(texts) + "".join(f" ({link})" for link in links)
