from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from garim.importers import Chat, Event, Joined, Kind, Left, Message, Renamed, open_chat
from garim.statements.refusal import RefusedError

DATA = Path(__file__).parent / "data"
LOG = "2026-03-07_23.raw.txt"


def utc_ms(day: int, hour: int, minute: int) -> int:
    return int(dt.datetime(2026, 3, day, hour, minute, tzinfo=dt.UTC).timestamp()) * 1000


def read(path: Path) -> tuple[Chat, list[Event]]:
    events = list(open_chat(path))
    head = events[0]
    assert isinstance(head, Chat)
    return head, events[1:]


def write(folder: Path, name: str, *lines: str) -> Path:
    log = folder / name
    log.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return log


def times(path: Path) -> list[str]:
    _, events = read(path)
    shown = [
        dt.datetime.fromtimestamp(event.at_ms / 1000, dt.UTC)
        for event in events
        if isinstance(event, Message)
    ]
    return [moment.strftime("%d %H:%M") for moment in shown]


def test_a_log_is_read_with_hosts_actions_and_one_account_through_a_change_of_nick() -> None:
    chat, events = read(DATA / LOG)
    assert (chat.title, chat.network, chat.timezone) == ("2026-03-07_23", "irc", "UTC")
    assert [member.account for member in chat.members_at_start] == ["irc:bora"]
    late = utc_ms(7, 22, 58)
    haneul, noeul = (event.member for event in events if isinstance(event, Joined))
    assert (haneul.account, haneul.host) == ("irc:haneul", "~sky@host-a.example.net")
    assert noeul.host == "n@host-b.example.net"
    assert [event for event in events if isinstance(event, Message)] == [
        Message(late + 1, "irc:bora", Kind.TEXT, "hello haneul"),
        Message(late + 2, "irc:bora", Kind.ACTION, "waves"),
        Message(late + 3, "irc:bora", Kind.ACTION, "yawns"),
        Message(utc_ms(7, 23, 59), "irc:haneul", Kind.TEXT, "Bora: still awake : yes"),
        Message(utc_ms(8, 0, 1), "irc:haneul", Kind.TEXT, "after midnight"),
        Message(utc_ms(8, 0, 2), "irc:bora", Kind.TEXT, "night"),
    ]
    assert Renamed(utc_ms(7, 23, 59) + 1, "irc:haneul", "sky[]") in events
    assert Left(utc_ms(8, 0, 1) + 1, "irc:noeul") in events


def test_the_survey_names_everybody_with_all_their_nicks() -> None:
    found = open_chat(DATA / LOG).survey
    names = {member.account: (member.name, member.other_names) for member in found.members}
    assert names == {
        "irc:haneul": ("haneul", ("sky[]",)),
        "irc:bora": ("Bora", ()),
        "irc:noeul": ("noeul", ()),
    }
    assert found.by_sender == {"irc:bora": 4, "irc:haneul": 2}
    assert (found.message_count, found.counts.system, found.counts.roster) == (6, 1, 4)


def test_a_line_without_any_meaning_but_in_form_is_counted(tmp_path: Path) -> None:
    log = write(
        tmp_path,
        "2026-03-07.txt",
        "[10:00] <bora> hi",
        "=== ..[topic/#hiking:bora] : Bring water",
        "[10:01] -!- mode/#hiking [+v noeul] by bora",
        "",
        "[10:02] -bora- notice",
    )
    reader = open_chat(log)
    list(reader)
    assert (reader.skipped.system, reader.skipped.blank, reader.skipped.messages) == (2, 1, 2)


def test_a_nick_that_had_an_account_of_its_own_keeps_it(tmp_path: Path) -> None:
    log = write(
        tmp_path,
        "2026-03-07.txt",
        "[10:00] <bora> one",
        "[10:01] <bora_> two",
        "=== bora_ is now known as bora",
        "[10:02] <bora> three",
        "[10:03] <bora_> four",
    )
    _, events = read(log)
    senders = [event.sender for event in events if isinstance(event, Message)]
    assert senders == ["irc:bora", "irc:bora_", "irc:bora", "irc:bora_"]
    assert not [event for event in events if isinstance(event, Renamed)]


def test_a_nick_that_changes_hands_speaks_for_its_new_holder(tmp_path: Path) -> None:
    log = write(
        tmp_path,
        "2026-03-07.txt",
        "[10:00] <bora> one",
        "=== bora is now known as away",
        "=== away is now known as bora",
        "[10:01] <noeul> two",
        "=== noeul is now known as away",
        "[10:02] <away> three",
        "[10:03] <bora> four",
    )
    _, events = read(log)
    senders = [event.sender for event in events if isinstance(event, Message)]
    assert senders == ["irc:bora", "irc:noeul", "irc:noeul", "irc:bora"]


def test_case_and_scandinavian_letters_of_a_nick_fold(tmp_path: Path) -> None:
    log = write(tmp_path, "2026-03-07.txt", "[10:00] <Bo[ra]> a", "[10:00] <bO{RA}> b", "[10:00] <bo[ra] > c")
    assert open_chat(log).survey.by_sender == {"irc:bo{ra}": 3}


def test_the_date_is_that_of_the_first_line_with_the_hour_of_the_name(tmp_path: Path) -> None:
    log = write(
        tmp_path, "2026-03-08_01.txt", "[22:00] <a> x", "[00:30] <a> x", "[01:10] <a> x", "[02:00] <a> x"
    )
    assert times(log) == ["07 22:00", "08 00:30", "08 01:10", "08 02:00"]


def test_a_quiet_night_passes_midnight_without_any_line_around_it(tmp_path: Path) -> None:
    log = write(
        tmp_path, "2026-03-07.txt", "[20:00] <a> x", "[07:00] <a> x", "[06:00] <a> x", "[04:00] <a> x"
    )
    assert times(log) == ["07 20:00", "08 07:00", "08 06:00", "09 04:00"]
    assert open_chat(log).survey.counts.backwards == 1


def test_a_twelve_hour_clock_is_recognised_where_one_follows_twelve(tmp_path: Path) -> None:
    log = write(tmp_path, "2026-03-07_03.txt", "[12:18] <a> x", "[01:00] <a> x", "[03:05] <a> x")
    assert times(log) == ["07 12:18", "07 13:00", "07 15:05"]


def test_members_who_left_before_they_spoke_were_there_at_the_start(tmp_path: Path) -> None:
    log = write(
        tmp_path,
        "2026-03-07.txt",
        "[10:00] <a> x",
        "=== b [u@h.example] has quit [bye]",
        "=== c is now known as d",
    )
    chat, events = read(log)
    assert [member.account for member in chat.members_at_start] == ["irc:a", "irc:b", "irc:c"]
    assert not [event for event in events if isinstance(event, Joined)]


@pytest.mark.parametrize("broken", ["[10:", "garbage", "[10:05] ", "[10:05] <bora", "[29:05] <a> secret"])
def test_a_line_of_no_known_form_is_refused_by_number_and_not_repeated(broken: str, tmp_path: Path) -> None:
    log = write(tmp_path, "2026-03-07.txt", "[10:00] <a> x", broken)
    with pytest.raises(RefusedError) as refused:
        open_chat(log)
    assert (refused.value.reason, refused.value.field) == ("CHAT_LINE", "line[2]")
    assert "secret" not in str(refused.value)
    assert "bora" not in str(refused.value)


@pytest.mark.parametrize("name", ["log.txt", "2026-13-07_10.txt", "0001-01-01.txt"])
def test_a_log_without_a_date_in_its_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="CHAT_DATE"):
        open_chat(write(tmp_path, name, "[10:00] <a> x"))
