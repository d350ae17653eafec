"""The transcript: HTML pages in Korean and English, readable by any browser, without scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from garim.dossier.book import HUES, Book, hue_of, kind_words
from garim.dossier.outline import Room, names_page, page_name
from garim.dossier.rows import WEEKDAYS, page_rows
from garim.dossier.times import day_and_time
from garim.statements.grants import TimeUnit

_UNITS: Mapping[TimeUnit, tuple[str, str]] = {
    "exact": ("초 단위", "to the second; messages.jsonl has milliseconds"),
    "minute": ("분 단위", "cut to the minute"),
    "hour": ("시간 단위", "cut to the hour"),
    "day": ("날짜만", "days only"),
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


def _months(room: Room) -> list[tuple[str, list[dict[str, Any]]]]:
    """The days of a conversation under their months, for the calendar of its pages."""
    months: dict[str, list[dict[str, Any]]] = {}
    for _, day in sorted(room.days.items()):
        shown = {"day": day.date.day, "weekday": WEEKDAYS[day.date.weekday()], "link": day.link}
        months.setdefault(f"{day.date:%Y-%m}", []).append(shown | {"messages": day.messages})
    return list(months.items())


def room_page(room: int, page: int, lines: Sequence[Mapping[str, Any]], book: Book) -> bytes:
    """Return one page of a conversation.

    Args:
        room: Number of the conversation.
        page: Number of the page, from 1.
        lines: The page's messages, as they stand in `messages.jsonl`, each already found well-formed.
        book: The transcript.
    """
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
        rows=page_rows(lines, book),
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
        mentions = name.mentions()
        views.append(
            {
                "pseudonym": pseudonym,
                "hue": hue_of(pseudonym),
                "kind": kind_words(name.type),
                "opened": one.name if one else "",
                "sent": name.sent,
                "named": name.named,
                "mentions": mentions,
                "more": name.messages - len(mentions),
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
