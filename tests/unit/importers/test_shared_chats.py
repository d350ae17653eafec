"""The real exports in ../shared/testdata are read to their last line."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from garim.importers import Kind, Message, open_chat

CHATS = Path(__file__).parents[4] / "shared" / "testdata" / "chats"
MESSAGES = {
    "irc/2004-11-15_03.raw.txt": 1100,
    "irc/2005-06-27_12.raw.txt": 1025,
    "irc/2005-08-08_01.raw.txt": 1045,
    "irc/2008-12-11_11.raw.txt": 1234,
    "irc/2009-02-23_10.raw.txt": 1224,
    "irc/2009-03-03_10.raw.txt": 1226,
    "irc/2009-10-01_17.raw.txt": 1215,
    "irc/2011-05-29_19.raw.txt": 1211,
    "irc/2011-11-13_02.raw.txt": 1220,
    "irc/2016-12-19_20.raw.txt": 1186,
    "kakaotalk/android-demo.txt": 8,
    "kakaotalk/open-chat-room.csv": 5,
    "kakaotalk/vibecoding-room-sample.csv": 312,
    "whatsapp/test_[mmddyy]_24hrs.txt": 7,
    "whatsapp/test_ddmmyy_24hrs.txt": 7,
    "whatsapp/test_mmddyy_24hrs.txt": 7,
    "whatsapp/test_mmddyyyy_12hrs.txt": 7,
    "whatsapp/test_yyyymmdd_24hrs.txt": 7,
}

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not CHATS.is_dir(), reason="needs the outside test data"),
]


@pytest.mark.parametrize(("name", "expected"), MESSAGES.items())
def test_real_exports_are_read_without_an_unknown_line_and_in_order(name: str, expected: int) -> None:
    reader = open_chat(CHATS / name)
    instants = [event.at_ms for event in reader if isinstance(event, Message)]
    assert len(instants) == reader.survey.message_count == expected
    assert instants == sorted(instants)
    counts = reader.skipped
    assert (counts.unknown, counts.backwards) == (0, 0)
    parts = (
        counts.messages,
        counts.continued,
        counts.roster,
        counts.system,
        counts.head,
        counts.day,
        counts.blank,
    )
    assert sum(parts) == len((CHATS / name).read_text(encoding="utf-8-sig").removesuffix("\n").split("\n"))


@pytest.mark.parametrize("name", ["test_batch_export.json", "test_single_export.json"])
def test_real_telegram_exports_are_read(name: str) -> None:
    reader = open_chat(CHATS / "telegram" / name)
    assert [one.text for one in reader if isinstance(one, Message)] == [
        "Minimal Message",
        "Link:https://telegram.org/",
    ]


def test_every_order_of_dates_gives_the_same_days() -> None:
    found = {open_chat(path).survey.first_ms for path in (CHATS / "whatsapp").glob("*.txt")}
    assert len(found) == 1


def test_a_log_that_begins_before_midnight_begins_on_the_day_before() -> None:
    found = open_chat(CHATS / "irc" / "2011-11-13_02.raw.txt").survey
    shown = [
        dt.datetime.fromtimestamp(ms / 1000, dt.UTC).isoformat()[:16]
        for ms in (found.first_ms, found.last_ms)
    ]
    assert shown == ["2011-11-12T21:29", "2011-11-13T03:26"]


def test_texts_and_senders_agree_with_the_gold_file() -> None:
    rooms: dict[str, list[tuple[str, str]]] = {}
    with (CHATS.parent / "gold" / "irc_dev.jsonl").open(encoding="utf-8") as rows:
        for row in map(json.loads, rows):
            rooms.setdefault(row["room"], []).append((row["sender"].strip().lower(), row["text"]))
    assert len(rooms) == 10
    for room, expected in rooms.items():
        reader = open_chat(CHATS / "irc" / f"{room}.raw.txt")
        names = {
            member.account: {name.lower() for name in (member.name, *member.other_names)}
            for member in reader.survey.members
        }
        texts = [event for event in reader if isinstance(event, Message) and event.kind is Kind.TEXT]
        assert [event.text for event in texts] == [text for _, text in expected]
        assert all(sender in names[event.sender] for event, (sender, _) in zip(texts, expected, strict=True))
