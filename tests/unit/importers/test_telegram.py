"""Telegram Desktop's JSON: messages, service messages, media, people by id."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from garim.importers import ChatReader, Joined, Kind, Left, Message, open_chat
from garim.statements.refusal import RefusedError

T = 1_704_430_000


def said(at: int, who: str, text: Any, **more: Any) -> dict[str, Any]:
    known = {"하나": "user1", "두리": "user2"}
    base = {"id": at, "type": "message", "date_unixtime": str(T + at), "from": who, "text": text}
    return base | ({"from_id": known[who]} if who in known else {}) | more


def service(at: int, action: str, actor: str, *members: str) -> dict[str, Any]:
    return {
        "id": at,
        "type": "service",
        "date_unixtime": str(T + at),
        "actor": actor,
        "actor_id": "user1",
        "action": action,
        "members": list(members),
    }


def written(folder: Path, *rows: Any, indent: int | None = 1, **more: Any) -> Path:
    path = folder / "result.json"
    whole = {"name": '여행 "messages": [ {', "type": "private_group", "id": 7, "messages": rows, **more}
    path.write_text(json.dumps(whole, ensure_ascii=False, indent=indent), encoding="utf-8")
    return path


def opened(folder: Path, *rows: Any, indent: int | None = 1) -> ChatReader:
    return open_chat(written(folder, *rows, indent=indent))


def messages(reader: ChatReader) -> list[tuple[str, Kind, str]]:
    return [(one.sender, one.kind, one.text) for one in reader if isinstance(one, Message)]


@pytest.mark.parametrize("indent", [1, 4, None])
def test_messages_are_read_however_the_file_is_set(tmp_path: Path, indent: int | None) -> None:
    bold = [
        "이건 ",
        {"type": "bold", "text": "굵"},
        {"type": "text_link", "text": "여기", "href": "https://x.y"},
    ]
    brackets = 'a " } ] \\ { ['
    reader = opened(tmp_path, said(1, "하나", bold), said(2, "두리", brackets), indent=indent)
    assert (reader.format, reader.title) == ("telegram-json", '여행 "messages": [ {')
    assert messages(reader) == [
        ("telegram:user1", Kind.TEXT, "이건 굵여기 (https://x.y)"),
        ("telegram:user2", Kind.TEXT, brackets),
    ]
    assert reader.survey.first_ms == (T + 1) * 1000
    assert reader.skipped.unknown == 0


def test_media_are_stand_ins_and_their_captions_texts(tmp_path: Path) -> None:
    rows = [
        said(1, "하나", "바다", photo="photos/photo_1.jpg", width=1),
        said(2, "하나", "", media_type="voice_message", file="voice/a.ogg"),
        said(3, "하나", "", media_type="sticker", file="s.webp", sticker_emoji="x"),
        said(4, "하나", "", file="files/secret name.pdf"),
        said(5, "하나", "", contact_information={"first_name": "나", "phone_number": "+821000004416"}),
        said(6, "하나", "", location_information={"latitude": 37.5, "longitude": 127.0}),
        said(7, "하나", "", poll={"question": "어디?", "answers": [{"text": "부산"}]}),
    ]
    found = [(kind, text) for _, kind, text in messages(opened(tmp_path, *rows))]
    assert found == [
        (Kind.PHOTO, ""),
        (Kind.TEXT, "바다"),
        (Kind.VOICE, ""),
        (Kind.STICKER, ""),
        (Kind.FILE, ""),
        (Kind.CONTACT, ""),
        (Kind.LOCATION, "37.5, 127.0"),
        (Kind.TEXT, "어디?\n부산"),
    ]


def test_service_messages_change_the_roster_of_the_same_accounts(tmp_path: Path) -> None:
    reader = opened(
        tmp_path,
        service(1, "create_group", "하나", "두리"),
        service(2, "pin_message", "하나"),
        service(3, "invite_members", "하나", "세나"),
        said(4, "두리", "안녕"),
        service(5, "remove_members", "하나", "두리"),
    )
    events = list(reader)
    joined = [one.member.account for one in events if isinstance(one, Joined)]
    assert joined == ["telegram:user2", "telegram:name:세나"]
    assert [one.account for one in reader.survey.members_at_start] == ["telegram:user1"]
    assert [one.account for one in events if isinstance(one, Left)] == ["telegram:user2"]
    assert (reader.skipped.roster, reader.skipped.system) == (3, 1)


def test_two_people_of_one_name_stay_two_and_one_with_two_names_one(tmp_path: Path) -> None:
    reader = opened(
        tmp_path,
        said(1, "하나", "a"),
        said(2, "하나", "b", from_id="user9"),
        said(3, "하나님", "c", from_id="user9"),
        said(4, "", "d", **{"from": None, "from_id": "user3"}),
    )
    assert [sender for sender, _, _ in messages(reader)] == [
        f"telegram:user{number}" for number in (1, 9, 9, 3)
    ]
    assert [(one.name, *one.other_names) for one in reader.survey.members] == [
        ("하나",),
        ("하나", "하나님"),
        ("Deleted Account",),
    ]


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ([said(1, "하나", 7)], 6),
        ([said(1, "하나", "x", date_unixtime="soon")], 6),
        ([said(1, "하나", "x"), [1]], 14),
    ],
)
def test_a_refusal_names_the_line_where_the_message_begins(
    tmp_path: Path, rows: list[Any], line: int
) -> None:
    with pytest.raises(RefusedError, match=f"line {line} ") as refused:
        opened(tmp_path, *rows)
    assert refused.value.reason == "CHAT_LINE"
    assert "하나" not in str(refused.value)


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, said(1, "하나", "x"), said(2, "하나", "y"))
    whole = path.read_text()
    path.write_text(whole[: whole.rindex("date_unixtime")])
    with pytest.raises(RefusedError, match="cut off"):
        open_chat(path)


@pytest.mark.parametrize("indent", [1, None])
def test_an_export_of_several_chats_is_refused(tmp_path: Path, indent: int | None) -> None:
    one = {"name": "a", "type": "personal_chat", "messages": [said(1, "하나", "x")]}
    path = tmp_path / "result.json"
    path.write_text(json.dumps({"chats": {"list": [one, one]}}, indent=indent))
    with pytest.raises(RefusedError, match="CHAT_SEVERAL"):
        open_chat(path)
