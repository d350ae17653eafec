from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from garim.importers import Chat, Event, Joined, Kind, Left, Message, open_chat

DATA = Path(__file__).parent / "data"
SEOUL = ZoneInfo("Asia/Seoul")


def seoul_ms(day: int, hour: int, minute: int) -> int:
    return int(dt.datetime(2026, 3, day, hour, minute, tzinfo=SEOUL).timestamp()) * 1000


def read(name: str) -> tuple[Chat, list[Event]]:
    events = list(open_chat(DATA / name))
    head = events[0]
    assert isinstance(head, Chat)
    return head, events[1:]


def messages(events: list[Event]) -> list[Message]:
    return [event for event in events if isinstance(event, Message)]


def accounts_at_start(chat: Chat) -> set[str]:
    return {member.account for member in chat.members_at_start}


def test_android_korean_reads_messages_notices_and_their_order() -> None:
    chat, events = read("android-ko.txt")
    assert (chat.title, chat.network, chat.timezone) == ("등산 모임", "kakaotalk", "Asia/Seoul")
    assert accounts_at_start(chat) == {"kakao:하늘", "kakao:보라"}
    midnight, noon = seoul_ms(7, 0, 5), seoul_ms(7, 12, 10)
    assert messages(events) == [
        Message(midnight, "kakao:하늘", Kind.TEXT, "아직 안 자는 사람"),
        Message(midnight + 1, "kakao:보라", Kind.TEXT, "저요 : 근데 곧 자요"),
        Message(noon, "kakao:하늘", Kind.TEXT, "준비물\n- 물\n\n- 김밥"),
        Message(seoul_ms(7, 12, 11), "kakao:노을", Kind.PHOTO, "사진 3장"),
        Message(seoul_ms(7, 12, 9), "kakao:노을", Kind.TEXT, "시계가 돌아갔네"),
    ]
    joined = [event for event in events if isinstance(event, Joined)]
    assert [(event.at_ms, event.member.name) for event in joined] == [(noon + 1, "노을"), (noon + 1, "이슬")]
    assert [event for event in events if isinstance(event, Left)] == [Left(seoul_ms(7, 12, 13), "kakao:보라")]


def test_android_korean_counts_every_line() -> None:
    reader = open_chat(DATA / "android-ko.txt")
    list(reader)
    counts = reader.skipped
    assert (counts.messages, counts.continued, counts.roster) == (5, 3, 2)
    assert (counts.system, counts.deleted, counts.backwards) == (1, 1, 1)
    assert (counts.head, counts.day, counts.blank, counts.unknown) == (2, 1, 2, 0)
    assert reader.bytes_read == reader.bytes_total


def test_android_english_with_windows_line_ends() -> None:
    chat, events = read("android-en.txt")
    assert chat.title == "Hiking"
    assert messages(events) == [
        Message(seoul_ms(7, 0, 5), "kakao:Haneul", Kind.TEXT, "still awake"),
        Message(seoul_ms(7, 12, 10), "kakao:Bora", Kind.TEXT, "list : water\nand rice"),
        Message(seoul_ms(7, 12, 12), "kakao:Noeul", Kind.PHOTO, "Photo"),
    ]
    assert [event.member.name for event in events if isinstance(event, Joined)] == ["Noeul", "Iseul"]
    assert Left(seoul_ms(7, 12, 13), "kakao:Iseul") in events


def test_ios_korean_keeps_a_day_inside_a_message_and_reads_notices_of_all_three_forms() -> None:
    chat, events = read("ios-ko.txt")
    assert chat.title == "등산 모임"
    assert messages(events) == [
        Message(seoul_ms(7, 0, 5), "kakao:하늘", Kind.TEXT, "아직 안 자는 사람"),
        Message(seoul_ms(7, 12, 10), "kakao:보라", Kind.TEXT, "장소\n2026년 3월 8일 일요일\n1번 출구"),
        Message(seoul_ms(7, 12, 12), "kakao:노을", Kind.VIDEO, "동영상"),
    ]
    assert [event.member.name for event in events if isinstance(event, Joined)] == ["노을"]
    assert Left(seoul_ms(8, 8, 1), "kakao:노을") in events


def test_ios_korean_under_day_lines_takes_the_date_from_them() -> None:
    reader = open_chat(DATA / "ios-ko-days.txt")
    events = list(reader)
    assert messages(events) == [
        Message(seoul_ms(7, 0, 5), "kakao:하늘", Kind.TEXT, "아직 안 자는 사람"),
        Message(seoul_ms(7, 12, 10), "kakao:보라", Kind.TEXT, "약속\n오후 1:00, 역 앞에서 보자"),
        Message(seoul_ms(7, 12, 12), "kakao:노을", Kind.EMOTICON, "이모티콘"),
        Message(seoul_ms(8, 8, 2), "kakao:하늘", Kind.TEXT, "잘 가"),
    ]
    assert Left(seoul_ms(8, 8, 0), "kakao:보라") in events
    assert reader.skipped.system == 1


def test_ios_english() -> None:
    _, events = read("ios-en.txt")
    assert messages(events) == [
        Message(seoul_ms(7, 0, 5), "kakao:Haneul", Kind.TEXT, "still awake"),
        Message(seoul_ms(7, 12, 10), "kakao:Bora", Kind.TEXT, "list : water\nand rice"),
        Message(seoul_ms(7, 12, 12), "kakao:Noeul", Kind.VIDEO, "Video"),
    ]
    assert Left(seoul_ms(7, 12, 13), "kakao:Bora") in events


def test_windows_korean_reads_bare_notices_of_members_only() -> None:
    chat, events = read("windows-ko.txt")
    assert chat.title == "등산 모임"
    assert messages(events) == [
        Message(seoul_ms(7, 0, 5), "kakao:하늘", Kind.TEXT, "아직 안 자는 사람"),
        Message(seoul_ms(7, 12, 10), "kakao:보라 [총무]", Kind.TEXT, "준비물 : 물\n[참고] 김밥도"),
        Message(seoul_ms(7, 12, 11), "kakao:노을", Kind.FILE, "파일: 지도.pdf"),
        Message(seoul_ms(8, 8, 0), "kakao:하늘", Kind.TEXT, "메모\n누군가님이 나갔습니다."),
    ]
    assert [event.member.name for event in events if isinstance(event, Joined)] == ["노을"]
    assert [event.account for event in events if isinstance(event, Left)] == ["kakao:노을"]


def test_windows_english() -> None:
    _, events = read("windows-en.txt")
    assert messages(events) == [
        Message(seoul_ms(7, 0, 5), "kakao:Haneul", Kind.TEXT, "still awake"),
        Message(seoul_ms(7, 12, 10), "kakao:Bora", Kind.TEXT, "list : water\nEveryone left."),
        Message(seoul_ms(7, 12, 11), "kakao:Noeul", Kind.PHOTO, "Photos 3"),
    ]
    assert [event.account for event in events if isinstance(event, Left)] == ["kakao:Bora"]


def test_a_stamp_in_decomposed_hangul_is_read_and_gives_the_same_account(tmp_path: Path) -> None:
    import unicodedata

    chat = tmp_path / "chat.txt"
    text = "2026년 3월 7일 오전 9:00, 하늘 : 안녕\n"
    chat.write_text(unicodedata.normalize("NFD", text) + text, encoding="utf-8")
    assert open_chat(chat).survey.by_sender == {"kakao:하늘": 2}


def test_an_excerpt_of_another_apps_export_speaks_for_nobody(tmp_path: Path) -> None:
    chat = tmp_path / "chat.txt"
    chat.write_text(
        "2026년 3월 7일 오전 9:00, 하늘 : 붙여넣기\n[보라] [오전 1:01] 나는 아니다\n오전 1:02, 이슬 : 나도\n",
        encoding="utf-8",
    )
    assert open_chat(chat).survey.by_sender == {"kakao:하늘": 1}


def test_a_message_may_be_empty(tmp_path: Path) -> None:
    chat = tmp_path / "chat.txt"
    chat.write_text("2026년 3월 7일 오전 9:00, 하늘 :\n2026년 3월 7일 오전 9:00, 보라 : \n", encoding="utf-8")
    assert [message.text for message in messages(list(open_chat(chat)))] == ["", ""]


def test_who_returns_without_an_invitation_is_a_member_again(tmp_path: Path) -> None:
    chat = tmp_path / "chat.txt"
    stamp = "2026년 3월 7일 오전 9:00"
    chat.write_text(
        f"{stamp}, 하늘 : 하나\n{stamp}, 하늘님이 나갔습니다.\n{stamp}, 하늘 : 둘\n", encoding="utf-8"
    )
    events = list(open_chat(chat))
    assert [type(event) for event in events] == [Chat, Message, Left, Joined, Message]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("사진", Kind.PHOTO),
        ("사진 3장", Kind.PHOTO),
        ("<사진 읽지 않음>", Kind.PHOTO),
        ("Photo", Kind.PHOTO),
        ("3 photos", Kind.PHOTO),
        ("0123456789abcdef0123456789abcdef.jpg", Kind.PHOTO),
        ("동영상", Kind.VIDEO),
        ("<동영상 읽지 않음>", Kind.VIDEO),
        ("Video", Kind.VIDEO),
        ("이모티콘", Kind.EMOTICON),
        ("(이모티콘)", Kind.EMOTICON),
        ("Emoticon", Kind.EMOTICON),
        ("Stickers", Kind.STICKER),
        ("음성메시지", Kind.VOICE),
        ("Voice message", Kind.VOICE),
        ("파일: 지도.pdf", Kind.FILE),
        ("File : map.pdf", Kind.FILE),
        ("연락처: 노을", Kind.CONTACT),
        ("지도: 역 앞", Kind.LOCATION),
        ("보이스톡 해요", Kind.CALL),
        ("Voice Call 1:02", Kind.CALL),
        ("https://www.example.com/a?b=c", Kind.LINK),
        ("사진 보내줘", Kind.TEXT),
        ("Photo of the day", Kind.TEXT),
        ("보이스톡 하자", Kind.TEXT),
        ("사진\n잘 나왔네", Kind.TEXT),
        ("https://www.example.com 봐", Kind.TEXT),
    ],
)
def test_stand_ins_for_media_become_their_kind(body: str, kind: Kind, tmp_path: Path) -> None:
    chat = tmp_path / "chat.txt"
    chat.write_text(f"2026년 3월 7일 오전 9:00, 하늘 : {body}\n", encoding="utf-8")
    message = messages(list(open_chat(chat)))[0]
    assert (message.kind, message.text) == (kind, body)


@pytest.mark.parametrize(
    ("notice", "came", "went"),
    [
        ("수아님을 초대하였습니다.", ["수아"], []),
        ("지민님이 수아님, 하늘님과 보라님을 초대했습니다.", ["수아", "하늘", "보라"], []),
        ("선생님님이 들어왔습니다.", ["선생님"], []),
        ("지민님이 나갔습니다.", [], ["지민"]),
        ("채팅방 관리자가 지민님을 내보냈습니다.", [], ["지민"]),
        ("지민님을 내보냈습니다.", [], ["지민"]),
        ("You invited Sua and Bora.", ["Sua", "Bora"], []),
        ("Sua has joined.", ["Sua"], []),
        ("지민 removed Sua from this chatroom.", [], ["Sua"]),
    ],
)
def test_notices_change_the_roster(notice: str, came: list[str], went: list[str], tmp_path: Path) -> None:
    chat = tmp_path / "chat.txt"
    stamp = "2026년 3월 7일 오전 9:00"
    chat.write_text(f"{stamp}, 지민 : 시작\n{stamp}, {notice}\n", encoding="utf-8")
    events = list(open_chat(chat))
    assert [event.member.name for event in events if isinstance(event, Joined)] == came
    assert [event.account for event in events if isinstance(event, Left)] == [
        f"kakao:{name}" for name in went
    ]


def test_a_time_zone_can_be_named() -> None:
    seoul = open_chat(DATA / "android-en.txt").survey.first_ms
    utc = open_chat(DATA / "android-en.txt", timezone="UTC").survey.first_ms
    assert utc - seoul == 9 * 3_600_000
