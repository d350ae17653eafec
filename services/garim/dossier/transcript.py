"""The transcript: HTML pages in Korean and English, readable by any browser, without scripts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from garim.dossier.lines import MessageLine
from garim.dossier.opened_identity import OpenedIdentity
from garim.dossier.outline import Outline, Room, names_page, page_name
from garim.dossier.times import day_and_time, day_of, time_of_day
from garim.masking.infotype import InfoType
from garim.statements.grants import TimeUnit

HUES = 12
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

_UNITS: Mapping[TimeUnit, tuple[str, str]] = {
    "exact": ("초 단위", "to the second; messages.jsonl has milliseconds"),
    "minute": ("분 단위", "cut to the minute"),
    "hour": ("시간 단위", "cut to the hour"),
    "day": ("날짜만", "days only"),
}

_KINDS: Mapping[str, str] = {
    InfoType.PERSON: "사람",
    InfoType.PHONE: "전화번호",
    InfoType.EMAIL: "전자우편",
    InfoType.RRN: "주민등록번호",
    InfoType.FRN: "외국인등록번호",
    InfoType.CARD: "카드번호",
    InfoType.BANK_ACCOUNT: "계좌번호",
    InfoType.IP: "IP 주소",
    InfoType.URL_HANDLE: "링크의 계정",
    InfoType.HANDLE: "계정 이름",
    InfoType.PASSPORT: "여권번호",
    InfoType.DRIVER_LICENSE: "운전면허번호",
    InfoType.BUSINESS_REG: "사업자등록번호",
    InfoType.VEHICLE: "차량번호",
    InfoType.DATE_OF_BIRTH: "생년월일",
    InfoType.ADDRESS: "주소",
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
        names: Whose names are masked; see `grants.Masking`.
        times: How exactly times are shown; see `grants.Masking`.
    """

    dossier: str
    authority: str
    case_number: str
    number: str
    period_start: int
    period_end: int
    mode: str
    names: str = "all-persons"
    times: TimeUnit = "exact"


class Book:
    """What every page of one transcript draws on.

    Args:
        outline: Conversations, days and pseudonyms.
        opened: Released identities by pseudonym, shown in place of the pseudonyms.
        times: How exactly times are shown.
    """

    def __init__(
        self, outline: Outline, opened: Mapping[str, OpenedIdentity], times: TimeUnit = "exact"
    ) -> None:
        self.outline = outline
        self.times = times
        self.opened = opened
        self.rooms = {room.number: room for room in outline.rooms}
        self.listed = outline.listed()
        self._pages = {one: page for page, names in enumerate(self.listed, 1) for one in names}

    def link(self, pseudonym: str) -> str:
        """Return where all messages with a pseudonym are listed."""
        return f"{names_page(self._pages[pseudonym])}#{pseudonym}"

    def title(self, pseudonym: str) -> str:
        """Return what a pseudonym stands for and how often it occurs."""
        name = self.outline.names[pseudonym]
        count = name.sent + name.named
        return f"{kind_words(name.type)} · {count}회 · {count}×"


def kind_words(kind: str) -> str:
    """Return an information type in Korean, with its own name.

    Args:
        kind: In UPPER_SNAKE.
    """
    return f"{_KINDS[kind]} {kind}" if kind in _KINDS else kind


def hue_of(pseudonym: str) -> int:
    """Return which of `HUES` colours a pseudonym has; within and across dossiers it follows from itself."""
    return hashlib.sha256(pseudonym.encode()).digest()[0] % HUES


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("garim.dossier"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clock"] = day_and_time
    environment.globals["hues"] = HUES
    return environment


def _day(day: date) -> str:
    return f"{day:%Y-%m-%d} {_WEEKDAYS[day.weekday()]}"


def index_page(about: About, rooms: Sequence[Room], opaque: int, has_names: bool = False) -> bytes:
    """Return the first page.

    Args:
        about: The dossier.
        rooms: Its conversations, in order of their numbers.
        opaque: How many secret-chat messages exist that nobody here can read.
        has_names: Whether there are pages of pseudonyms.
    """
    names = names_page(1) if has_names else ""
    template = _templates().get_template("index.html")
    return template.render(
        about=about, rooms=rooms, opaque=opaque, names=names, unit=_UNITS[about.times]
    ).encode()


def _pieces(line: MessageLine, book: Book) -> Iterator[dict[str, Any]]:
    at = 0
    for place, mask in enumerate(line.masks):
        if at < mask.start:
            yield {"mask": False, "text": line.text[at : mask.start]}
        one = book.opened.get(mask.pseudonym)
        shown, title = line.text[mask.start : mask.end], book.title(mask.pseudonym)
        if one is not None:
            shown = one.original(line.number, place, mask.commitment) or one.name
            title = f"{mask.pseudonym} · {title} · {one.name}"
        yield {
            "mask": True,
            "opened": one is not None,
            "text": shown,
            "title": title,
            "hue": hue_of(mask.pseudonym),
            "link": book.link(mask.pseudonym),
        }
        at = mask.end
    if at < len(line.text):
        yield {"mask": False, "text": line.text[at:]}


def _view(line: MessageLine, before: MessageLine | None, book: Book) -> dict[str, Any]:
    pseudonym = line.sender.pseudonym
    opened = book.opened.get(pseudonym) if pseudonym else None
    notice = _NOTICES.get(line.kind, "")
    if line.attachment:
        notice += f" ({line.attachment.media_type}, {line.attachment.size:,} B)"
    new_day = before is None or day_of(before.at) != day_of(line.at)
    return {
        "number": line.number,
        "day": _day(day_of(line.at)) if new_day else "",
        "subject": pseudonym is None,
        "who": (opened and opened.name) or pseudonym or line.sender.name or line.sender.account,
        "opened": opened is not None,
        "sender_title": f"{pseudonym} · {book.title(pseudonym)}" if pseudonym else "",
        "sender_link": book.link(pseudonym) if pseudonym else "",
        "hue": hue_of(pseudonym) if pseudonym else 0,
        "time": time_of_day(line.at, book.times),
        "notice": notice,
        "pieces": list(_pieces(line, book)),
    }


def _months(room: Room) -> list[tuple[str, list[dict[str, Any]]]]:
    """The days of a conversation under their months, for the calendar of its pages."""
    months: dict[str, list[dict[str, Any]]] = {}
    for day in sorted(room.days, key=lambda one: one.date):
        shown = {"day": day.date.day, "weekday": _WEEKDAYS[day.date.weekday()], "link": day.link}
        months.setdefault(f"{day.date:%Y-%m}", []).append(shown | {"messages": day.messages})
    return list(months.items())


def room_page(room: int, page: int, lines: Sequence[MessageLine], book: Book) -> bytes:
    """Return one page of a conversation.

    Args:
        room: Number of the conversation.
        page: Number of the page, from 1.
        lines: The page's messages.
        book: The transcript.
    """
    views = [_view(line, lines[at - 1] if at else None, book) for at, line in enumerate(lines)]
    pages = book.rooms[room].pages
    template = _templates().get_template("page.html")
    return template.render(
        room=room,
        page=page,
        pages=pages,
        previous=page_name(room, page - 1) if page > 1 else "",
        following=page_name(room, page + 1) if page < pages else "",
        names=names_page(1) if book.listed else "",
        months=_months(book.rooms[room]),
        messages=views,
    ).encode()


def names_page_of(page: int, book: Book) -> bytes:
    """Return a page that lists pseudonyms and links to the messages with each.

    Args:
        page: Number of the page, from 1.
        book: The transcript.
    """
    views = []
    for pseudonym in book.listed[page - 1]:
        name, one = book.outline.names[pseudonym], book.opened.get(pseudonym)
        views.append(
            {
                "pseudonym": pseudonym,
                "hue": hue_of(pseudonym),
                "kind": kind_words(name.type),
                "opened": one.name if one else "",
                "sent": name.sent,
                "named": name.named,
                "mentions": name.mentions,
                "more": name.messages - len(name.mentions),
            }
        )
    return (
        _templates()
        .get_template("names.html")
        .render(
            page=page,
            pages=len(book.listed),
            previous=names_page(page - 1) if page > 1 else "",
            following=names_page(page + 1) if page < len(book.listed) else "",
            names=views,
        )
        .encode()
    )
