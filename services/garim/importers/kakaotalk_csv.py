"""KakaoTalk's tables: exports of macOS and of open chats, with the columns in any order (RFC 4180)."""

from __future__ import annotations

import csv
import datetime as dt
import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from garim.importers.kakaotalk_dialects import ANDROID_KO, IOS_KO
from garim.importers.kakaotalk_notices import SYSTEM_USERS, Change, Notice, read_notice
from garim.importers.lines import refuse_line
from garim.importers.times import moment, plausible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from garim.importers.events import Counts, Event
    from garim.importers.rooms import Room

_COLUMNS = {
    "when": {"date", "datetime", "timestamp", "날짜", "일시", "날짜/시간"},
    "clock": {"time", "시간", "시각"},
    "user": {"user", "sender", "name", "nickname", "사용자", "보낸 사람", "보낸사람", "이름", "작성자"},
    "body": {"message", "text", "content", "body", "메시지", "내용", "대화"},
}


def columns_of(row: list[str]) -> dict[str, int] | None:
    """Which column holds what, where the row names the columns of a chat; else None.

    Args:
        row: The first row of a table.
    """
    names = [name.strip().lower() for name in row]
    places = {
        part: next((place for place, name in enumerate(names) if name in known), -1)
        for part, known in _COLUMNS.items()
    }
    if places["when"] < 0:
        places["when"], places["clock"] = places["clock"], -1
    if min(places["when"], places["user"], places["body"]) < 0:
        return None
    return places


def table_title(name: str) -> str:
    """The room's title in the name of a table's file.

    Args:
        name: The file's name.
    """
    stem = PurePath(name).stem.removeprefix("KakaoTalk_Chat_")
    return re.sub(r"_[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{2}-[0-9]{2}-[0-9]{2}$", "", stem)


class TableReader:
    """Reads one table.

    Args:
        room: Where its messages and notices go.
        counts: Where its lines are counted.
    """

    def __init__(self, room: Room, counts: Counts) -> None:
        self._room = room
        self._counts = counts

    def read(self, lines: Iterable[tuple[int, str]]) -> Iterator[Event]:
        """The events of the file.

        Args:
            lines: Number and text of each line.

        Raises:
            RefusedError: CHAT_LINE for a row that is no table's, lacks columns or has no date.
        """
        rows = csv.reader((text + "\n" for _, text in lines), strict=True)
        places: dict[str, int] | None = None
        width = 0
        while True:
            start = rows.line_num + 1
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error:
                raise refuse_line(
                    start, "begins a row that is no well-formed CSV; is the file cut off?"
                ) from None
            if not row:
                self._counts.blank += 1
            elif places is None:
                places = columns_of(row)
                if places is None:
                    raise refuse_line(start, "names no columns of a chat (date, user and message are needed)")
                self._counts.head += 1
                width = len(row)
            elif len(row) != width:
                raise refuse_line(
                    start, f"begins a row of {len(row)} columns where {width} are named; is it cut?"
                )
            else:
                self._counts.continued += rows.line_num - start
                yield from self._row(row, places, start)

    def _row(self, row: list[str], places: dict[str, int], number: int) -> Iterator[Event]:
        when = row[places["when"]].strip()
        if places["clock"] >= 0:
            when = f"{when} {row[places['clock']].strip()}"
        shown = table_time(when, number)
        user, body = row[places["user"]].strip(), row[places["body"]]
        notice = read_notice(body)
        if user in SYSTEM_USERS:
            yield from self._room.notice(shown, notice or Notice(Change.OTHER))
        elif notice and user in {notice.actor, *notice.names}:
            yield from self._room.notice(shown, notice)
        else:
            yield from self._room.message(shown, user, body)


def table_time(text: str, number: int) -> dt.datetime:
    """The time of a row, in ISO 8601 or in one of KakaoTalk's Korean forms.

    Args:
        text: The field.
        number: The line's number, for refusals.

    Raises:
        RefusedError: CHAT_LINE where it is neither.
    """
    try:
        iso = dt.datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        iso = None
    if iso is not None:
        return plausible(iso, number)
    for dialect in (ANDROID_KO, IOS_KO):
        line = dialect.parse(text, number)
        if line and line.date and line.time:
            return moment(line.date, (*line.time, 0), number)
    raise refuse_line(number, "shows no date and time in a known form; export the chat again")
