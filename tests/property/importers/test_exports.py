"""A chat written in an export's form is read back as it was; any damage is refused or read, never a crash."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garim.importers import Chat, Event, Format, Joined, Left, Message, Renamed, open_chat
from garim.importers.kakaotalk_notices import read_notice
from garim.statements.refusal import RefusedError

DATA = Path(__file__).parents[2] / "unit" / "importers" / "data"
START = dt.datetime(2026, 3, 7, 0, 0, tzinfo=dt.timezone(dt.timedelta(hours=9)))
MONTH = "March"

names = st.text(st.sampled_from("가나다 Ab[]().,수아"), min_size=1, max_size=8).map(str.strip).filter(bool)
names = names.filter(lambda name: name not in {"시스템", "System"} and not name.endswith(","))
words = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t"), max_size=30)
body_lines = words.filter(
    lambda line: bool(line.strip()) and not line.startswith(("[", "-")) and "202" not in line
)
bodies = st.lists(body_lines.filter(lambda line: read_notice(line) is None), min_size=1, max_size=3).map(
    "\n".join
)
chats = st.lists(st.tuples(st.integers(0, 3000), names, bodies), min_size=1, max_size=12)


def clock_ko(at: dt.datetime) -> str:
    return f"{'오전' if at.hour < 12 else '오후'} {at.hour % 12 or 12}:{at.minute:02d}"


def day_ko(at: dt.datetime) -> str:
    return f"{at.year}년 {at.month}월 {at.day}일 {'월화수목금토일'[at.weekday()]}요일"


def android(at: dt.datetime, name: str, body: str) -> str:
    return f"{at.year}년 {at.month}월 {at.day}일 {clock_ko(at)}, {name} : {body}\n"


def ios(at: dt.datetime, name: str, body: str) -> str:
    return f"\n{day_ko(at)}\n{at.year}. {at.month}. {at.day}. {clock_ko(at)}, {name} : {body}\n"


def ios_days(at: dt.datetime, name: str, body: str) -> str:
    return f"\n{day_ko(at)}\n{clock_ko(at)}, {name} : {body}\n"


def windows(at: dt.datetime, name: str, body: str) -> str:
    return f"{'-' * 15} {day_ko(at)} {'-' * 15}\n[{name}] [{clock_ko(at)}] {body}\n"


def windows_en(at: dt.datetime, name: str, body: str) -> str:
    day = f"{at:%A}, {MONTH} {at.day}, {at.year}"
    half = "AM" if at.hour < 12 else "PM"
    return f"{'-' * 15} {day} {'-' * 15}\n[{name}] [{at.hour % 12 or 12}:{at.minute:02d} {half}] {body}\n"


def android_en(at: dt.datetime, name: str, body: str) -> str:
    half = "AM" if at.hour < 12 else "PM"
    return f"{MONTH} {at.day}, {at.year}, {at.hour % 12 or 12}:{at.minute:02d} {half}, {name} : {body}\n"


def ios_en(at: dt.datetime, name: str, body: str) -> str:
    return f"{MONTH[:3]} {at.day}, {at.year} at {at.hour:02d}:{at.minute:02d}, {name} : {body}\n"


def table(at: dt.datetime, name: str, body: str) -> str:
    quoted = [field.replace('"', '""') for field in (name, body)]
    return f'{at:%Y-%m-%d %H:%M}:00,"{quoted[0]}","{quoted[1]}"\n'


WRITERS = {
    Format.KAKAOTALK_ANDROID_KO: ("", android),
    Format.KAKAOTALK_ANDROID_EN: ("", android_en),
    Format.KAKAOTALK_IOS_KO: ("", ios),
    Format.KAKAOTALK_IOS_KO_DAYS: ("", ios_days),
    Format.KAKAOTALK_IOS_EN: ("", ios_en),
    Format.KAKAOTALK_WINDOWS_KO: ("", windows),
    Format.KAKAOTALK_WINDOWS_EN: ("", windows_en),
    Format.KAKAOTALK_CSV: ("Date,User,Message\n", table),
}


def read(data: bytes, name: str, known: str = "auto") -> list[Event]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        return list(open_chat(path, known))


@pytest.mark.parametrize("known", WRITERS)
@given(chat=chats)
@settings(max_examples=60, deadline=None)
def test_a_chat_is_read_back_with_its_senders_texts_minutes_and_order(
    known: Format, chat: list[tuple[int, str, str]]
) -> None:
    head, write = WRITERS[known]
    sent = [(START + dt.timedelta(minutes=minute), name, body) for minute, name, body in sorted(chat)]
    events = read((head + "".join(write(*message) for message in sent)).encode(), "chat", known.value)
    found = [event for event in events if isinstance(event, Message)]
    assert [(message.at_ms // 60_000, message.sender, message.text) for message in found] == [
        (int(at.timestamp()) // 60, f"kakao:{name}", body) for at, name, body in sent
    ]
    assert len({message.at_ms for message in found}) == len(found)
    assert [message.at_ms for message in found] == sorted(message.at_ms for message in found)


@pytest.mark.parametrize("name", sorted(path.name for path in DATA.iterdir()))
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_damaged_file_is_refused_or_read_with_every_sender_present(name: str, data: st.DataObject) -> None:
    content = bytearray((DATA / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(len(content), start + 40)))
        content[start:end] = data.draw(
            st.binary(max_size=8) | st.sampled_from([b"\n", b'"', b" : ", b"[", b"25:99"])
        )
    try:
        events = read(bytes(content), name)
    except RefusedError as refused:
        assert refused.reason.startswith("CHAT_")  # noqa: PT017 - either outcome is right
        return
    present: set[str] = set()
    for event in events:
        match event:
            case Chat():
                present = {member.account for member in event.members_at_start}
            case Joined():
                present.add(event.member.account)
            case Left():
                present.remove(event.account)
            case Renamed():
                assert event.account in present
            case Message():
                assert event.sender in present
