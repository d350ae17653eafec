"""The transcript: HTML pages in Korean and English, readable by any browser, without scripts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from garim.dossier.lines import MessageLine
from garim.dossier.opened_identity import OpenedIdentity

PAGE_MESSAGES = 500
ZONE = timezone(timedelta(hours=9), "KST")
_WEEKDAYS = ("월", "화", "수", "목", "금", "토", "일")

_NOTICES = {
    "photo": "사진 · photo",
    "video": "동영상 · video",
    "voice": "음성 · voice message",
    "file": "파일 · file",
    "sticker": "이모티콘 · sticker",
    "joined": "들어왔습니다 · joined",
    "left": "나갔습니다 · left",
    "renamed": "이름을 바꿨습니다 · took another name",
    "deleted": "삭제된 메시지 · deleted message",
}


@dataclass(frozen=True, slots=True)
class About:
    """What the index says of the dossier.

    Args:
        dossier: Its id, hexadecimal.
        authority: Who asked.
        case_number: The investigation.
        number: The document's number.
        period_start: First millisecond asked for.
        period_end: First millisecond behind.
        mode: `sealed` or `erased`.
    """

    dossier: str
    authority: str
    case_number: str
    number: str
    period_start: int
    period_end: int
    mode: str


@dataclass(slots=True)
class Room:
    """What the index says of one conversation.

    Args:
        number: Its number in this dossier.
        people: How many senders appear.
        messages: How many messages it has.
        first: When the first was sent.
        last: When the last was sent.
    """

    number: int
    people: int
    messages: int
    first: int
    last: int

    @property
    def first_page(self) -> str:
        """File name of its first page."""
        return page_name(self.number, 1)


def page_name(room: int, page: int) -> str:
    """Return the file name of a transcript page."""
    return f"C{room}-{page}.html"


def _clock(millis: int) -> str:
    return datetime.fromtimestamp(millis / 1000, ZONE).strftime("%Y-%m-%d %H:%M KST")


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("garim.dossier"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clock"] = _clock
    return environment


def index_page(about: About, rooms: Sequence[Room], opaque: int) -> bytes:
    """Return the first page.

    Args:
        about: The dossier.
        rooms: Its conversations, in order of their numbers.
        opaque: How many secret-chat messages exist that nobody here can read.
    """
    return _templates().get_template("index.html").render(about=about, rooms=rooms, opaque=opaque).encode()


def _pieces(line: MessageLine, opened: Mapping[str, OpenedIdentity]) -> Iterator[dict[str, Any]]:
    at = 0
    for place, mask in enumerate(line.masks):
        if at < mask.start:
            yield {"mask": False, "text": line.text[at : mask.start]}
        one = opened.get(mask.pseudonym)
        shown, title = line.text[mask.start : mask.end], mask.type
        if one is not None:
            shown = one.original(line.number, place, mask.commitment) or one.name
            title = f"{mask.pseudonym} · {mask.type} · {one.name}"
        yield {"mask": True, "opened": one is not None, "text": shown, "title": title}
        at = mask.end
    if at < len(line.text):
        yield {"mask": False, "text": line.text[at:]}


def _view(
    line: MessageLine, before: MessageLine | None, identities: Mapping[str, OpenedIdentity]
) -> dict[str, Any]:
    when = datetime.fromtimestamp(line.at / 1000, ZONE)
    day = when.strftime("%Y-%m-%d ") + _WEEKDAYS[when.weekday()]
    same_day = before is not None and datetime.fromtimestamp(before.at / 1000, ZONE).date() == when.date()
    pseudonym = line.sender.pseudonym
    opened = identities.get(pseudonym) if pseudonym else None
    notice = _NOTICES.get(line.kind, "")
    if line.attachment:
        notice += f" ({line.attachment.media_type}, {line.attachment.size:,} B)"
    return {
        "number": line.number,
        "day": "" if same_day else day,
        "subject": pseudonym is None,
        "who": (opened and opened.name) or pseudonym or line.sender.name or line.sender.account,
        "opened": opened is not None,
        "sender_title": pseudonym or "",
        "time": when.strftime("%H:%M:%S"),
        "notice": notice,
        "pieces": list(_pieces(line, identities)),
    }


def room_page(
    room: int,
    page: int,
    pages: int,
    lines: Sequence[MessageLine],
    opened: Mapping[str, OpenedIdentity] | None = None,
) -> bytes:
    """Return one page of a conversation.

    Args:
        room: Number of the conversation.
        page: Number of the page, from 1.
        pages: How many there are.
        lines: The page's messages.
        opened: Released identities by pseudonym, shown in place of the pseudonyms.
    """
    known = opened or {}
    views = [_view(line, lines[at - 1] if at else None, known) for at, line in enumerate(lines)]
    template = _templates().get_template("page.html")
    return template.render(
        room=room,
        page=page,
        pages=pages,
        previous=page_name(room, page - 1) if page > 1 else "",
        following=page_name(room, page + 1) if page < pages else "",
        messages=views,
    ).encode()
