"""The messages of a transcript page as HTML: written by hand, for a dossier has a million of them.

Whatever comes from a message passes `html.escape`; all else on a row is markup of this file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from garim.dossier.book import Book, hue_of
from garim.dossier.times import day_number, day_of, time_of_day

WEEKDAYS = ("월", "화", "수", "목", "금", "토", "일")
_ENGLISH_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
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
_TAG = '<span class="tag">대상자 <span lang="en">subject</span></span>'


def page_rows(lines: Iterable[Mapping[str, Any]], book: Book) -> str:
    """Return the rows of one page.

    Args:
        lines: Its messages, as they stand in `messages.jsonl`.
        book: The transcript.
    """
    rows: list[str] = []
    senders: dict[tuple[str, ...], tuple[str, str]] = {}
    last_day: int | None = None
    for line in lines:
        at = line["at"]
        day = day_number(at)
        if day != last_day:
            date = day_of(at)
            ko, en = WEEKDAYS[date.weekday()], _ENGLISH_WEEKDAYS[date.weekday()]
            rows.append(f'<h2 class="day">{date:%Y-%m-%d} {ko} <span lang="en">{en}</span></h2>')
            last_day = day
        one = line["sender"]
        key = (one["pseudonym"],) if one["pseudonym"] else ("", one["account"], one["name"])
        known = senders.get(key)
        if known is None:
            known = senders[key] = _sender(one, book)
        kind, who = known
        number, clock = line["number"], time_of_day(at, book.times)
        text = _text(line, book)
        rows.append(
            f'<div class="message {kind}" id="{number}">\n'
            f'<a class="cite" href="#{number}">{number}</a>\n'
            f'<div><span class="who">{who}</span><span class="when">{clock}</span></div>\n'
            f'<span></span>\n<div class="text">{text}</div>\n</div>\n'
        )
    return "".join(rows)


def _sender(sender: Mapping[str, Any], book: Book) -> tuple[str, str]:
    """Return the class of a sender's messages and who is shown."""
    pseudonym = sender["pseudonym"]
    if pseudonym is None:
        return "subject", escape(sender["name"] or sender["account"]) + _TAG
    title = escape(f"{pseudonym} · {book.title(pseudonym)}")
    opened = book.opened.get(pseudonym)
    kind = f"h{hue_of(pseudonym)}"
    if opened is not None:
        return kind, f'<mark class="opened" title="{title}">{escape(opened.name)}</mark>'
    return kind, f'<a href="{book.link(pseudonym)}" title="{title}">{pseudonym}</a>'


def _text(line: Mapping[str, Any], book: Book) -> str:
    notice = _NOTICES.get(line["kind"], "")
    if attachment := line["attachment"]:
        notice += f" ({attachment['media_type']}, {attachment['size']:,} B)"
    text = _pieces(line, book) if line["masks"] else escape(line["text"])
    if not notice:
        return text
    shown = f'<span class="notice">{escape(notice)}</span>'
    return f"{shown} {text}" if text else shown


def _pieces(line: Mapping[str, Any], book: Book) -> str:
    text, pieces, at = line["text"], [], 0
    for place, mask in enumerate(line["masks"]):
        start, end, pseudonym = mask["start"], mask["end"], mask["pseudonym"]
        pieces.append(escape(text[at:start]))
        one, title = book.opened.get(pseudonym), book.title(pseudonym)
        shown, kind = text[start:end], f"h{hue_of(pseudonym)}"
        if one is not None:
            shown = one.original(line["number"], place, mask["commitment"]) or one.name
            title, kind = f"{pseudonym} · {title} · {one.name}", "opened"
        link = f'<a href="{book.link(pseudonym)}">{escape(shown)}</a>'
        pieces.append(f'<mark class="{kind}" title="{escape(title)}">{link}</mark>')
        at = end
    pieces.append(escape(text[at:]))
    return "".join(pieces)
