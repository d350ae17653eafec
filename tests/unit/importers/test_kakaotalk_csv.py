from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from garim.importers import Joined, Kind, Left, Message, open_chat
from garim.importers.kakaotalk_csv import table_title
from garim.statements.refusal import RefusedError

DATA = Path(__file__).parent / "data"


def seoul_ms(hour: int, minute: int, second: int = 0) -> int:
    shown = dt.datetime(2026, 3, 7, hour, minute, second, tzinfo=ZoneInfo("Asia/Seoul"))
    return int(shown.timestamp()) * 1000


def test_a_table_with_bodies_over_lines_and_notices_under_both_users() -> None:
    reader = open_chat(DATA / "open-chat.csv")
    events = list(reader)
    assert [event for event in events if isinstance(event, Message)] == [
        Message(seoul_ms(0, 5), "kakao:하늘", Kind.TEXT, "아직 안 자는 사람"),
        Message(seoul_ms(12, 10, 7), "kakao:보라", Kind.TEXT, '준비물 "필수"\n- 물, 김밥'),
        Message(seoul_ms(12, 10, 7) + 1, "kakao:보라", Kind.TEXT, "또 있다"),
        Message(seoul_ms(12, 12), "kakao:노을", Kind.PHOTO, "사진"),
    ]
    assert [event.member.name for event in events if isinstance(event, Joined)] == ["노을"]
    assert [event.account for event in events if isinstance(event, Left)] == ["kakao:보라"]
    counts = reader.skipped
    assert (counts.messages, counts.continued, counts.roster, counts.system, counts.deleted) == (
        4,
        1,
        2,
        1,
        1,
    )


def test_columns_may_stand_in_any_order_and_times_in_other_forms() -> None:
    messages = [event for event in open_chat(DATA / "other-order.csv") if isinstance(event, Message)]
    assert [(message.at_ms, message.sender, message.text) for message in messages] == [
        (seoul_ms(0, 5), "kakao:하늘", "아직 안 자는 사람"),
        (seoul_ms(12, 10), "kakao:보라", "준비물, 물"),
    ]


def test_date_and_time_may_be_two_columns(tmp_path: Path) -> None:
    table = tmp_path / "chat.csv"
    table.write_text("Date,Time,User,Message\n2026-03-07,12:10,하늘,안녕\n", encoding="utf-8")
    assert open_chat(table).survey.first_ms == seoul_ms(12, 10)


def test_the_title_comes_from_the_files_name() -> None:
    assert table_title("KakaoTalk_Chat_등산 모임_2026-03-09-16-40-52.csv") == "등산 모임"
    assert table_title("room.csv") == "room"


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ("2026-03-07 12:10:00,하늘,안녕\n2026-03-07 12:11:00,보라\n", 3),
        ("2026-03-07 12:10:00,하늘,안녕\nsoon,보라,비밀\n", 3),
        ("0001-01-01 00:00:00+23:59,하늘,비밀\n", 2),
        ("2026-13-07 12:10:00,하늘,비밀\n", 2),
        ('2026-03-07 12:10:00,하늘,"안녕\n비밀\n', 2),
        ('2026-03-07 12:10:00,하늘,"안녕"비밀"\n', 2),
    ],
    ids=["columns-missing", "no-date", "too-old", "no-such-date", "cut-off", "quotes"],
)
def test_a_damaged_row_is_refused_by_number_and_not_repeated(rows: str, line: int, tmp_path: Path) -> None:
    table = tmp_path / "chat.csv"
    table.write_text("Date,User,Message\n" + rows, encoding="utf-8")
    with pytest.raises(RefusedError) as refused:
        open_chat(table)
    assert (refused.value.reason, refused.value.field) == ("CHAT_LINE", f"line[{line}]")
    for private in ("비밀", "보라", "하늘"):
        assert private not in str(refused.value)
