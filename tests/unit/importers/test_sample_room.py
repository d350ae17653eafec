"""The project's own sample room keeps what its README promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import garim.testing
from garim.importers import (
    Format,
    Joined,
    Kind,
    Left,
    Message,
    Survey,
    open_chat,
    read_roster,
    read_secret,
    survey,
)

SAMPLE = Path(next(iter(garim.testing.__path__))) / "sample"
ROOM = SAMPLE / "room.txt"


@pytest.fixture(scope="module")
def found() -> Survey:
    return survey(ROOM, known=read_roster(SAMPLE / "roster.json"))


def test_the_room_is_large_enough_and_read_to_its_last_line(found: Survey) -> None:
    assert found.format is Format.KAKAOTALK_ANDROID_KO
    assert len(found.members) == len(found.by_sender) == 13
    assert found.message_count >= 620
    assert (found.counts.unknown, found.counts.backwards) == (0, 0)
    assert found.last_ms - found.first_ms > 2 * 86_400_000


def test_the_subject_of_the_story_is_the_busiest_sender(found: Survey) -> None:
    assert max(found.by_sender, key=lambda account: found.by_sender[account]) == "kakao:최현우"


def test_the_roster_file_covers_exactly_the_members(found: Survey) -> None:
    members = read_roster(SAMPLE / "roster.json")
    assert {member.account for member in members} == set(found.by_sender)
    assert len({member.phone for member in members}) == 13


def test_people_come_and_go_and_messages_are_of_many_kinds() -> None:
    events = list(open_chat(ROOM))
    assert [event.member.name for event in events if isinstance(event, Joined)] == ["박지민", "배준호"]
    assert [event.account for event in events if isinstance(event, Left)] == ["kakao:배준호", "kakao:강도윤"]
    kinds = {event.kind for event in events if isinstance(event, Message)}
    assert {Kind.PHOTO, Kind.VIDEO, Kind.EMOTICON, Kind.FILE, Kind.LINK} <= kinds
    assert any("\n" in event.text and " : " in event.text for event in events if isinstance(event, Message))


def test_numbers_addresses_and_links_belong_to_nobody() -> None:
    text = ROOM.read_text(encoding="utf-8") + (SAMPLE / "roster.json").read_text(encoding="utf-8")
    plain = text.translate(str.maketrans("０１２３４５６７８９－", "0123456789-"))
    mobiles = re.findall(r"(?<![0-9])0?10[-. )]{0,2}[0-9]{4}[-. ]?[0-9]{4}(?![0-9])", plain)
    assert len(mobiles) >= 20
    assert all(re.sub("[^0-9]", "", mobile).removeprefix("0").startswith("100000") for mobile in mobiles)
    assert all(
        host.endswith(("example.com", "example.kr")) for host in re.findall(r"@([a-z.]+\.[a-z]+)", plain)
    )
    assert all(host.endswith("example.com") for host in re.findall(r"https?://([^/\s]+)", plain))


def test_the_example_of_a_registration_number_fails_its_check_digit() -> None:
    numbers = re.findall(r"[0-9]{6}-[1-4][0-9]{6}", ROOM.read_text(encoding="utf-8"))
    assert len(numbers) == 1
    digits = [int(digit) for digit in numbers[0] if digit != "-"]
    weighted = sum(
        digit * weight for digit, weight in zip(digits, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5], strict=False)
    )
    assert (11 - weighted % 11) % 10 != digits[-1]


def test_the_secret_chat_has_ten_blocks_of_two_members_of_the_room(found: Survey) -> None:
    chat = read_secret(SAMPLE / "secret.txt")
    assert len(chat.blocks) == 10
    assert set(chat.members) == {"kakao:최현우", "kakao:강도윤"} <= set(found.by_sender)
    assert all(found.first_ms < block.at_ms < found.last_ms for block in chat.blocks)
