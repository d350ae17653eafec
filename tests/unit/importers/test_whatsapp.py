"""WhatsApp exports of both phones, in several languages and orders of dates."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from garim.importers import ChatReader, Event, Joined, Kind, Left, Message, open_chat
from garim.statements.refusal import RefusedError

ANDROID = """\
20/01/24, 15:20 - Messages and calls are end-to-end encrypted. Tap to learn more.
20/01/24, 15:20 - Hana created group "여행: 부산"
20/01/24, 15:21 - Hana added Duri and +82 10-0000-4416
20/01/24, 15:22 - Hana: first : line
second line

fourth line
20/01/24, 15:23 - Duri: IMG-20240120-WA0001.jpg (file attached)
a caption
20/01/24, 15:24 - Duri: <Media omitted>
20/01/24, 15:25 - Duri: This message was deleted
20/01/24, 15:26 - +82 10-0000-4416: https://example.com/x
20/01/24, 15:27 - Hana changed the group name from "a: b" to "c"
20/01/24, 15:28 - Hana removed +82 10-0000-4416
20/01/24, 15:29 - Duri left
20/01/24, 15:30 - Hana:.
"""
IOS_KO = """\
[2024. 1. 5. 오후 12:05:11] 여행방: \u200e메시지와 통화는 종단간 암호화됩니다.
\u200e[2024. 1. 5. 오후 12:06:00] 여행방: \u200e하나님이 두리님을 추가했습니다.
[2024. 1. 5. 오전 12:07:01] 하나: 안녕
\u200e[2024. 1. 5. 오후 12:08:01] 두리: \u200e사진 생략됨
\u200e[2024. 1. 5. 오후 12:09:01] 두리: \u200e<첨부: 00000007-AUDIO-2024-01-05.opus>
[2024. 1. 5. 오후 12:10:01] 두리: 고친 말 \u200e<이 메시지는 수정되었습니다>
[2024. 1. 5. 오후 12:11:01] 여행방: \u200e두리님이 나갔습니다.
"""


def opened(folder: Path, text: str, name: str = "WhatsApp Chat with 여행.txt", **options: Any) -> ChatReader:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return open_chat(path, **options)


def messages(events: list[Event]) -> list[tuple[str, Kind, str]]:
    return [
        (one.sender.removeprefix("whatsapp:"), one.kind, one.text)
        for one in events
        if isinstance(one, Message)
    ]


def days(reader: ChatReader) -> list[str]:
    zone = dt.timezone(dt.timedelta(hours=9))
    return [
        dt.datetime.fromtimestamp(one.at_ms / 1000, zone).strftime("%y-%m-%d %H:%M")
        for one in reader
        if isinstance(one, Message)
    ]


def test_an_android_export_is_read_to_its_last_line(tmp_path: Path) -> None:
    reader = opened(tmp_path, ANDROID)
    events = list(reader)
    assert (reader.format, reader.title, reader.timezone) == ("whatsapp-android", "여행", "Asia/Seoul")
    assert messages(events) == [
        ("Hana", Kind.TEXT, "first : line\nsecond line\n\nfourth line"),
        ("Duri", Kind.PHOTO, "IMG-20240120-WA0001.jpg (file attached)"),
        ("Duri", Kind.TEXT, "a caption"),
        ("Duri", Kind.FILE, "<Media omitted>"),
        ("+82 10-0000-4416", Kind.LINK, "https://example.com/x"),
        ("Hana", Kind.TEXT, "."),
    ]
    instants = [one.at_ms for one in events if isinstance(one, Message)]
    assert len(set(instants)) == len(instants), "a picture and its caption keep their order"
    counts = reader.skipped
    assert (counts.unknown, counts.system, counts.deleted, counts.roster) == (0, 2, 1, 4)


def test_who_comes_and_goes_changes_the_roster(tmp_path: Path) -> None:
    events = list(opened(tmp_path, ANDROID))
    joined = [one.member for one in events if isinstance(one, Joined)]
    assert [one.name for one in joined] == ["Hana", "Duri", "+82 10-0000-4416"]
    assert [one.phone for one in joined] == ["", "", "+821000004416"]
    left = [one.account for one in events if isinstance(one, Left)]
    assert left == ["whatsapp:+82 10-0000-4416", "whatsapp:Duri"]


def test_a_korean_iphone_export_tells_what_the_app_says_from_what_people_say(tmp_path: Path) -> None:
    reader = opened(tmp_path, IOS_KO)
    events = list(reader)
    assert reader.format == "whatsapp-ios"
    assert messages(events) == [
        ("하나", Kind.TEXT, "안녕"),
        ("두리", Kind.PHOTO, "\u200e사진 생략됨"),
        ("두리", Kind.VOICE, "\u200e<첨부: 00000007-AUDIO-2024-01-05.opus>"),
        ("두리", Kind.TEXT, "고친 말"),
    ]
    assert [one.name for one in reader.survey.members] == ["하나", "두리"], "the room itself is nobody"
    assert [one.account for one in events if isinstance(one, Left)] == ["whatsapp:두리"]
    assert days(reader)[0] == "24-01-05 00:07", "오전 12시 is midnight"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("03/04/24, 10:00", "13/04/24, 10:00"), "24-04-03 10:00"),
        (("03/04/24, 10:00", "03/13/24, 10:00"), "24-03-04 10:00"),
        (("03/01/24, 10:00", "02/02/24, 10:00"), "24-01-03 10:00"),
        (("01/03/24, 10:00", "02/02/24, 10:00"), "24-01-03 10:00"),
        (("04/04/24, 10:00", "05/05/24, 10:00"), "24-04-04 10:00"),
        (("3.4.2024, 10:00", "13.4.2024, 10:00"), "24-04-03 10:00"),
        (("2024-04-03 10:00", "2024-04-13 10:00"), "24-04-03 10:00"),
        (("4/3/24, 10:00\u202fPM", "4/13/24, 1:00\u202fAM"), "24-04-03 22:00"),
        (("4/3/24, 0:10 a. m.", "4/13/24, 1:00 p. m."), "24-04-03 00:10"),
    ],
)
def test_day_and_month_are_told_apart_by_the_whole_file(
    tmp_path: Path, lines: tuple[str, ...], expected: str
) -> None:
    text = "".join(f"{line} - 하나: 안녕\n" for line in lines)
    assert days(opened(tmp_path, text))[0] == expected


UNDECIDED = "03/04/24, 10:00 - Hana: a\n05/06/24, 10:00 - Hana: b\n"


def test_where_nothing_tells_day_from_month_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="CHAT_DATE_ORDER"):
        opened(tmp_path, UNDECIDED)


@pytest.mark.parametrize(("day_first", "expected"), [(True, "24-04-03 10:00"), (False, "24-03-04 10:00")])
def test_a_person_may_say_which_stands_first(tmp_path: Path, day_first: bool, expected: str) -> None:
    assert days(opened(tmp_path, UNDECIDED, day_first=day_first))[0] == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("13/04/24, 10:00 - Hana: a\n04/13/24, 10:00 - Hana: b\n", 2),
        ("13/04/24, 10:00 - Hana: a\n31/02/24, 10:00 - Hana: b\n", 2),
        ("13/04/24, 25:00 - Hana: a\n", 1),
    ],
)
def test_a_refusal_names_the_line_and_nothing_of_it(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(RefusedError, match=f"line {line} ") as refused:
        opened(tmp_path, text)
    assert refused.value.reason == "CHAT_LINE"
    assert "Hana" not in str(refused.value)


@pytest.mark.parametrize(
    ("notice", "names", "goes"),
    [
        ("하나님이 두리님과 세나님을 추가했습니다", ["하나", "두리", "세나"], False),
        ("Hana hat Duri hinzugefügt", ["Hana", "Duri"], False),
        ("Hana añadió a Duri", ["Hana", "Duri"], False),
        ("Duri joined using this group's invite link", ["Duri"], False),
        ("You added Duri", ["Duri"], False),
        ("Duri hat die Gruppe verlassen", ["Duri"], True),
        ("Duri a quitté le groupe", ["Duri"], True),
    ],
)
def test_notices_are_understood_in_several_languages(
    tmp_path: Path, notice: str, names: list[str], goes: bool
) -> None:
    reader = opened(tmp_path, f"20/01/24, 15:20 - {notice}\n20/01/24, 15:21 - Other: x\n")
    assert [one.name for one in reader.survey.members] == [*names, "Other"]
    assert any(isinstance(one, Left) for one in reader) is goes


def test_a_message_that_reads_like_a_notice_stays_a_message(tmp_path: Path) -> None:
    reader = opened(tmp_path, "20/01/24, 15:21 - Hana: Duri left\n")
    assert messages(list(reader)) == [("Hana", Kind.TEXT, "Duri left")]
