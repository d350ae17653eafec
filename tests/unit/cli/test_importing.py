from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from garim.cli.import_command import read_source
from garim.cli.importing import Importer, import_export, import_secret, store_member, store_message
from garim.importers import Chat, Joined, Kind, Left, Member, Message, Renamed, SecretBlock, SecretChat
from garim.sdk import Message as StoreMessage
from garim.sdk import Roster
from garim.statements.refusal import RefusedError

SAMPLE = Path(__file__).parents[3] / "services" / "garim" / "testing" / "sample"


class Sink:
    def __init__(self) -> None:
        self.put_messages: list[tuple[Roster, StoreMessage]] = []

    def put(self, roster: Roster, message: StoreMessage) -> None:
        self.put_messages.append((roster, message))

    def rosters(self) -> list[list[str]]:
        return [[one.account for one in roster.members] for roster, _ in self.put_messages]


GARAM, NARU = Member("irc:garam", "garam", host="garam@host.example"), Member("irc:naru", "naru")


def importer(*members: Member) -> tuple[Importer, Sink]:
    sink = Sink()
    made = Importer(sink, "irc:#room", "#room")
    made.take(Chat("#room", "irc", "UTC", members))
    return made, sink


def test_who_joins_is_there_from_their_own_joining_on() -> None:
    made, sink = importer(GARAM)
    made.take(Message(1, "irc:garam", Kind.TEXT, "hi"))
    made.take(Joined(2, NARU))
    made.take(Message(3, "irc:naru", Kind.TEXT, "hello"))
    assert [message.kind for _, message in sink.put_messages] == ["text", "joined", "text"]
    assert sink.rosters() == [["irc:garam"], ["irc:garam", "irc:naru"], ["irc:garam", "irc:naru"]]


def test_who_leaves_is_there_until_their_own_leaving() -> None:
    made, sink = importer(GARAM, NARU)
    made.take(Left(1, "irc:naru"))
    made.take(Message(2, "irc:garam", Kind.TEXT, "gone"))
    assert [message.kind for _, message in sink.put_messages] == ["left", "text"]
    assert sink.rosters() == [["irc:garam", "irc:naru"], ["irc:garam"]]


def test_a_new_name_comes_first_and_the_old_one_stays_known() -> None:
    made, sink = importer(GARAM)
    made.take(Renamed(1, "irc:garam", "garam_away"))
    roster, message = sink.put_messages[0]
    assert (message.kind, message.text, message.sender) == ("renamed", "garam_away", "irc:garam")
    assert list(roster.members[0].names) == ["garam_away", "garam"]


def test_being_announced_again_is_no_second_joining() -> None:
    made, sink = importer(GARAM)
    made.take(Joined(1, Member("irc:garam", "garam", host="other@host.example")))
    made.take(Message(2, "irc:garam", Kind.TEXT, "hi"))
    made.take(Message(3, "irc:garam", Kind.TEXT, "again"))
    assert [message.kind for _, message in sink.put_messages] == ["text", "text"]
    assert sink.put_messages[0][0] is sink.put_messages[1][0], "one roster as long as nobody changes"


def test_a_members_numbers_are_kept_as_warrants_name_them() -> None:
    stored = store_member(
        Member("kakao:다온", "다온", "010-0000-1234", "Daon@Example.com", other_names=("작은 다온", "다온"))
    )
    assert list(stored.phones) == ["+821000001234"]
    assert list(stored.emails) == ["daon@example.com"]
    assert list(stored.names) == ["다온", "작은 다온"]


def test_user_at_host_is_kept_nowhere() -> None:
    stored = store_member(GARAM)
    assert "host.example" not in repr(stored)


def test_a_phone_that_is_none_is_refused_without_being_repeated() -> None:
    with pytest.raises(RefusedError) as refused:
        store_member(Member("kakao:다온", "다온", "twelve-34"))
    assert refused.value.reason == "ROSTER_FILE"
    assert "twelve" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        (Kind.PHOTO, "photo"),
        (Kind.VIDEO, "video"),
        (Kind.VOICE, "voice"),
        (Kind.FILE, "file"),
        (Kind.CONTACT, "file"),
        (Kind.STICKER, "sticker"),
        (Kind.EMOTICON, "sticker"),
    ],
)
def test_what_stands_for_an_attachment_loses_its_name(kind: Kind, stored: str) -> None:
    message = store_message(Message(1, "kakao:다온", kind, "파일: 다온 이력서.pdf"))
    assert (message.kind, message.text) == (stored, "")


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.ACTION, Kind.LINK, Kind.LOCATION, Kind.CALL])
def test_what_people_wrote_stays_as_they_wrote_it(kind: Kind) -> None:
    message = store_message(Message(1, "kakao:다온", kind, "어디야?\n나 왔어"))
    assert (message.kind, message.text) == ("text", "어디야?\n나 왔어")


def test_a_secret_chat_is_opaque_blocks_without_senders() -> None:
    sink = Sink()
    chat = SecretChat(("kakao:다온", "kakao:가람"), (SecretBlock(5, "kakao:다온", b"\x01\x02"),))
    known = [Member("kakao:다온", "다온", "010-0000-1234")]
    assert import_secret(chat, known, sink, "room:secret") == 1
    roster, message = sink.put_messages[0]
    assert message.is_opaque
    assert (message.opaque, message.sender, message.text) == (b"\x01\x02", "", "")
    assert [list(one.phones) for one in roster.members] == [["+821000001234"], []]


def test_every_sender_of_the_sample_room_stands_in_the_roster_of_their_message() -> None:
    source = read_source(SAMPLE / "room.txt", "auto", "", SAMPLE / "roster.json", SAMPLE / "secret.txt")
    sink = Sink()
    seen: list[tuple[int, int]] = []
    done = import_export(source.reader, sink, lambda read, total: seen.append((read, total)))
    assert done.messages == source.reader.survey.message_count
    assert len(done.members) == 13
    for roster, message in sink.put_messages:
        assert message.sender in {one.account for one in roster.members}
    assert seen[-1][0] == seen[-1][1]
    assert seen == sorted(seen)


@pytest.mark.parametrize(("day_first", "month"), [(True, 4), (False, 3)])
def test_who_imports_may_say_how_dates_are_read(tmp_path: Path, day_first: bool, month: int) -> None:
    chat = tmp_path / "WhatsApp Chat with x.txt"
    chat.write_text("03/04/24, 10:00 - Garam: a\n")
    with pytest.raises(RefusedError, match="CHAT_DATE_ORDER"):
        read_source(chat, "auto", "UTC", None, None)
    first = read_source(chat, "auto", "UTC", None, None, day_first=day_first).reader.survey.first_ms
    assert dt.datetime.fromtimestamp(first / 1000, dt.UTC).month == month


def test_no_name_of_a_file_and_no_caption_is_lost_or_kept_wrongly(tmp_path: Path) -> None:
    chat = tmp_path / "WhatsApp Chat with x.txt"
    chat.write_text("2024-01-13, 10:00 - Garam: holiday of naru.pdf (file attached)\na caption\n")
    sink = Sink()
    import_export(read_source(chat, "auto", "", None, None).reader, sink, lambda _read, _total: None)
    assert [(one.kind, one.text) for _, one in sink.put_messages] == [("file", ""), ("text", "a caption")]
