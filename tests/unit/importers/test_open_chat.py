from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest

from garim.importers import Format, Joined, Message, detect_format, open_chat, read_roster, survey
from garim.importers.detect import CHOICES
from garim.importers.lines import MAX_LINE_BYTES
from garim.importers.times import EventClock, zone_named
from garim.statements.refusal import Kind, RefusedError

DATA = Path(__file__).parent / "data"
FORMATS = {
    "2026-03-07_23.raw.txt": Format.IRC,
    "android-ko.txt": Format.KAKAOTALK_ANDROID_KO,
    "android-en.txt": Format.KAKAOTALK_ANDROID_EN,
    "ios-ko.txt": Format.KAKAOTALK_IOS_KO,
    "ios-ko-days.txt": Format.KAKAOTALK_IOS_KO_DAYS,
    "ios-en.txt": Format.KAKAOTALK_IOS_EN,
    "windows-ko.txt": Format.KAKAOTALK_WINDOWS_KO,
    "windows-en.txt": Format.KAKAOTALK_WINDOWS_EN,
    "open-chat.csv": Format.KAKAOTALK_CSV,
    "other-order.csv": Format.KAKAOTALK_CSV,
}


def refusal_of(path: Path, **options: str) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        open_chat(path, **options)
    return refused.value


@pytest.mark.parametrize(("name", "known"), FORMATS.items())
def test_each_format_is_recognised_by_what_stands_in_it(name: str, known: Format) -> None:
    assert detect_format((DATA / name).read_bytes(), "chat.txt") is known
    assert open_chat(DATA / name).format is known
    assert open_chat(DATA / name, format=known.network).format is known
    assert open_chat(DATA / name, format=known.value).format is known


@pytest.mark.parametrize("name", FORMATS)
def test_a_chat_reads_the_same_with_mark_and_either_line_end(name: str, tmp_path: Path) -> None:
    plain = (DATA / name).read_bytes().removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    copy = tmp_path / name
    expected = None
    for data in (plain, b"\xef\xbb\xbf" + plain, plain.replace(b"\n", b"\r\n"), plain.removesuffix(b"\n")):
        copy.write_bytes(data)
        events = list(open_chat(copy))
        assert events == (expected or events)
        expected = events


@pytest.mark.parametrize("name", FORMATS)
def test_every_sender_is_a_member_when_speaking_and_in_the_survey(name: str) -> None:
    reader = open_chat(DATA / name)
    everybody = {member.account for member in reader.survey.members}
    assert set(reader.survey.by_sender) <= everybody
    present = {member.account for member in reader.survey.members_at_start}
    for event in reader:
        if isinstance(event, Joined):
            present.add(event.member.account)
        elif isinstance(event, Message):
            assert event.sender in present


@pytest.mark.parametrize("name", FORMATS)
def test_each_line_is_counted_once(name: str) -> None:
    reader = open_chat(DATA / name)
    list(reader)
    seen = reader.skipped
    total = seen.messages + seen.continued + seen.roster + seen.system + seen.deleted
    total += seen.head + seen.day + seen.blank + seen.unknown
    assert total == len((DATA / name).read_text(encoding="utf-8-sig").removesuffix("\n").split("\n"))
    assert seen == reader.survey.counts


def test_a_reader_can_be_iterated_again() -> None:
    reader = open_chat(DATA / "android-ko.txt")
    assert list(reader) == list(reader)


def test_an_unknown_format_is_refused_with_what_was_tried(tmp_path: Path) -> None:
    chat = tmp_path / "chat.txt"
    chat.write_text("Dear diary,\nthis is private.\n", encoding="utf-8")
    refused = refusal_of(chat)
    assert refused.reason == "CHAT_FORMAT_UNKNOWN"
    for known in Format:
        assert known.value in refused.message
    assert "diary" not in str(refused)
    assert "irc" not in refusal_of(chat, format="kakaotalk").message


def test_a_chat_of_another_network_than_asked_for_is_refused() -> None:
    assert refusal_of(DATA / "android-ko.txt", format="irc").reason == "CHAT_FORMAT_UNKNOWN"


def test_a_table_without_the_columns_of_a_chat_is_refused_with_a_hint(tmp_path: Path) -> None:
    table = tmp_path / "chat.csv"
    table.write_text("a,b,c\n1,2,3\n", encoding="utf-8")
    assert "date, user and message" in refusal_of(table).message


def test_an_unknown_choice_of_format_is_refused_with_the_choices() -> None:
    refused = refusal_of(DATA / "android-ko.txt", format="signal")
    assert refused.reason == "CHAT_FORMAT"
    assert all(choice in refused.message for choice in CHOICES)


@pytest.mark.parametrize("zone", ["Asia/Nowhere", "../etc/passwd", "not a zone"])
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
    assert refusal_of(DATA / "android-ko.txt", timezone=zone).reason == "CHAT_TIMEZONE"


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\n\n \n"])
def test_an_empty_file_is_refused(data: bytes, tmp_path: Path) -> None:
    chat = tmp_path / "chat.txt"
    chat.write_bytes(data)
    assert refusal_of(chat).reason == "CHAT_EMPTY"


def test_a_table_without_rows_is_refused_as_empty(tmp_path: Path) -> None:
    table = tmp_path / "chat.csv"
    table.write_text("Date,User,Message\n", encoding="utf-8")
    assert refusal_of(table).reason == "CHAT_EMPTY"


def test_a_missing_file_and_a_folder_are_refused_without_their_names(tmp_path: Path) -> None:
    missing = refusal_of(tmp_path / "지민.txt")
    assert (missing.reason, missing.kind) == ("CHAT_FILE", Kind.NOT_FOUND)
    assert "지민" not in str(missing)
    assert refusal_of(tmp_path).reason == "CHAT_FILE"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("2026년 3월 7일 오전 9:01, 보라 : 비밀".encode()[:-1], "CHAT_ENCODING"),
        ("2026년 3월 7일 오전 9:01, 보라 : 비밀".encode("cp949"), "CHAT_ENCODING"),
        ("2026년 3월 7일 오전 9:01, 보라 : 비\x00밀".encode(), "CHAT_LINE"),
        ("2026년 3월 7일 오전 13:01, 보라 : 비밀".encode(), "CHAT_LINE"),
        ("2026년 3월 7일 25:01, 보라 : 비밀".encode(), "CHAT_LINE"),
        ("2026년 2월 30일 오전 9:01, 보라 : 비밀".encode(), "CHAT_LINE"),
        ("0001년 3월 7일 오전 9:01, 보라 : 비밀".encode(), "CHAT_LINE"),
        ("2026년 3월 7일 오전 9:71, 보라 : 비밀".encode(), "CHAT_LINE"),
        (b"x" * (MAX_LINE_BYTES + 1), "CHAT_LINE"),
        (b"xy\n" * (MAX_LINE_BYTES // 3 + 1), "CHAT_LINE"),
    ],
    ids=[
        "cut-off",
        "cp949",
        "nul",
        "hour-12",
        "hour-24",
        "day",
        "year",
        "minute",
        "long-line",
        "long-message",
    ],
)
@pytest.mark.parametrize("far", [False, True], ids=["near", "far"])
def test_damage_is_refused_by_number_and_not_repeated(
    data: bytes, reason: str, far: bool, tmp_path: Path
) -> None:
    chat = tmp_path / "chat.txt"
    good = "2026년 3월 7일 오전 9:00, 하늘 : 안녕\n" * (3000 if far else 1)
    chat.write_bytes(good.encode() + data)
    refused = refusal_of(chat)
    assert refused.reason == reason
    if b"xy" not in data:
        assert refused.field == ("line[3001]" if far else "line[2]")
    for private in ("비밀", "보라"):
        assert private not in str(refused)


def test_a_time_before_any_day_is_refused(tmp_path: Path) -> None:
    chat = tmp_path / "chat.txt"
    chat.write_text("[하늘] [오전 9:00] 안녕\n", encoding="utf-8")
    assert refusal_of(chat).field == "line[1]"


def test_utf_16_is_refused_as_an_encoding(tmp_path: Path) -> None:
    chat = tmp_path / "chat.txt"
    chat.write_text("2026년 3월 7일 오전 9:00, 하늘 : 안녕\n", encoding="utf-16")
    assert refusal_of(chat).reason == "CHAT_ENCODING"


def test_lines_before_the_first_stamp_that_are_no_head_are_counted_as_unknown(tmp_path: Path) -> None:
    chat = tmp_path / "chat.txt"
    chat.write_text("메모\n2026년 3월 7일 오전 9:00, 하늘 : 안녕\n", encoding="utf-8")
    counts = open_chat(chat).survey.counts
    assert (counts.unknown, counts.unknown_lines) == (1, [1])


def test_events_of_one_minute_keep_their_order_and_stay_inside_it() -> None:
    import datetime as dt

    clock = EventClock(zone_named("UTC"), 1000)
    shown = dt.datetime(2026, 3, 7, 9, 0)  # noqa: DTZ001 - as exports show it
    instants = [clock.at_ms(shown) - 1_772_874_000_000 for _ in range(1200)]
    assert instants[:1000] == list(range(1000))
    assert set(instants[1000:]) == {999}


def test_the_survey_reports_progress(tmp_path: Path) -> None:
    chat = tmp_path / "chat.txt"
    chat.write_text("2026년 3월 7일 오전 9:00, 하늘 : 안녕\n" * 2500, encoding="utf-8")
    seen: list[tuple[int, int]] = []
    survey(chat, progress=lambda done, total: seen.append((done, total)))
    assert len(seen) == 3
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert all(done <= total for done, total in seen)


def roster(folder: Path, *members: dict[str, object]) -> Path:
    path = folder / "roster.json"
    path.write_text(json.dumps({"members": list(members)}, ensure_ascii=False), encoding="utf-8")
    return path


def entry(**changed: object) -> dict[str, object]:
    return {"account": "kakao:하늘", "name": "하늘", "phone": "", "email": "", "other_names": []} | changed


def test_a_roster_file_adds_phones_and_silent_members(tmp_path: Path) -> None:
    members = read_roster(
        roster(tmp_path, entry(phone="010-0000-1234"), entry(account="kakao:그늘", name="그늘"))
    )
    found = open_chat(DATA / "android-ko.txt", known=members).survey
    there = {member.account: member.phone for member in found.members_at_start}
    assert there == {"kakao:하늘": "010-0000-1234", "kakao:보라": "", "kakao:그늘": ""}
    assert "kakao:그늘" in {member.account for member in found.members}


@pytest.mark.parametrize(
    "members",
    [
        [entry(nick="x")],
        [{"account": "kakao:하늘"}],
        [entry(phone=10)],
        [entry(other_names="하늘이")],
        [entry(name="")],
        [entry(), entry()],
    ],
    ids=["unknown-field", "missing-field", "number", "no-list", "empty", "twice"],
)
def test_a_roster_file_of_another_form_is_refused(members: list[dict[str, object]], tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="ROSTER_FILE"):
        read_roster(roster(tmp_path, *members))


def test_a_roster_file_that_is_missing_or_no_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="ROSTER_FILE"):
        read_roster(tmp_path / "none.json")
    path = tmp_path / "roster.json"
    for text in ("{", "[]", '{"members": 1}', '{"members": [], "more": 1}', '{"members": [3]}'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(RefusedError, match="ROSTER_FILE"):
            read_roster(path)


def test_memory_grows_with_people_and_not_with_messages(tmp_path: Path) -> None:
    chat = tmp_path / "chat.txt"
    chat.write_text("2026년 3월 7일 오전 9:00, 하늘 : 안녕하세요 반갑습니다\n" * 20_000, encoding="utf-8")
    tracemalloc.start()
    try:
        assert sum(isinstance(event, Message) for event in open_chat(chat)) == 20_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < chat.stat().st_size / 3
