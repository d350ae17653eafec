from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections.abc import Callable

import pytest

from garim.api.messages.v1 import messages_pb2 as pb
from garim.messages.writer import Before, Stored, Unknown
from garim.sealing.segment import HOUR_MS
from garim.statements.refusal import Kind, RefusedError
from garim.testing.governance import DAY_MS
from messages_support import people
from messages_support.store import NOW_MS, PRODUCER, StoreWorld

ROOM = people.room("방-1", [1, 2, 3], "산책 모임")


def test_what_was_stored_is_read_back_in_order(world: StoreWorld) -> None:
    sent = people.chatter(NOW_MS - 5_000, [1, 2, 3], 40)
    world.put(ROOM)
    world.append(people.batch(people.part(ROOM, sent[:25])))
    world.append(people.batch(people.part(ROOM, sent[25:])))
    assert world.messages(world.custody.ticket(("account", "acct-00001"))) == sent


def test_nothing_is_stored_while_a_roster_is_unknown(world: StoreWorld) -> None:
    other = people.room("방-2", [4, 5])
    world.put(ROOM)
    request = people.batch(
        people.part(ROOM, people.chatter(NOW_MS, [1], 2)), people.part(other, people.chatter(NOW_MS, [4], 2))
    )
    assert world.store.append(PRODUCER, request) == Unknown((1,))
    assert world.count("batches") == 0
    world.put(other)
    assert isinstance(world.store.append(PRODUCER, request), Stored)


def test_the_same_batch_again_is_answered_the_same_and_stored_once(world: StoreWorld) -> None:
    world.put(ROOM)
    request = people.batch(people.part(ROOM, people.chatter(NOW_MS, [1, 2], 5)))
    first = world.append(request)
    world.clock.advance(30_000)
    assert world.append(request) == first
    world.start()
    assert world.append(request) == first
    assert world.count("batches") == 1


def test_another_content_under_a_batch_id_is_refused(world: StoreWorld) -> None:
    world.put(ROOM)
    request = people.batch(people.part(ROOM, people.chatter(NOW_MS, [1, 2], 5)))
    world.append(request)
    request.conversations[0].messages[0].text = "다른 말"
    with pytest.raises(RefusedError, match="BATCH_CHANGED") as refusal:
        world.store.append(PRODUCER, request)
    assert refusal.value.kind is Kind.EXISTS
    assert world.append(request, f"{PRODUCER}-b").received_ms  # another producer's ids are its own


def test_a_sender_outside_the_roster_is_refused(world: StoreWorld) -> None:
    world.put(ROOM)
    with pytest.raises(RefusedError, match="MESSAGE_SENDER"):
        world.store.append(PRODUCER, people.batch(people.part(ROOM, [people.text(NOW_MS, 4, "안녕")])))
    assert world.count("batches") == 0


def test_a_phone_or_name_of_a_member_is_no_sender(world: StoreWorld) -> None:
    world.put(ROOM)
    message = people.text(NOW_MS, 1, "안녕")
    message.sender = "+821000000001"
    with pytest.raises(RefusedError, match="MESSAGE_SENDER"):
        world.store.append(PRODUCER, people.batch(people.part(ROOM, [message])))


def test_a_segment_ends_where_sent_at_crosses_an_hour(world: StoreWorld) -> None:
    hour = NOW_MS - NOW_MS % HOUR_MS
    sent = [people.text(hour - 2, 1, "가"), people.text(hour - 1, 2, "나"), people.text(hour, 1, "다")]
    world.put(ROOM)
    world.append(people.batch(people.part(ROOM, sent)))
    with world.database.reading() as connection:
        rows = connection.exec_driver_sql(
            "SELECT sent_first, sent_first + sent_span, messages FROM segments ORDER BY place"
        ).all()
    assert [tuple(row) for row in rows] == [(hour - 2, hour - 1, 2), (hour, hour, 1)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda r: r.ClearField("conversations"), "BATCH_EMPTY"),
        (lambda r: r.conversations[0].ClearField("messages"), "BATCH_EMPTY"),
        (lambda r: setattr(r, "batch_id", b"short"), "BATCH_FIELD"),
        (lambda r: setattr(r.conversations[0], "roster_digest", b"short"), "BATCH_FIELD"),
        (lambda r: setattr(r.conversations[0], "conversation_id", ""), "BATCH_FIELD"),
        (lambda r: setattr(r.conversations[0], "kind", 0), "BATCH_FIELD"),
        (lambda r: setattr(r.conversations[0], "kind", 7), "BATCH_FIELD"),
        (lambda r: setattr(r.conversations[0].messages[0], "sent_at_ms", 0), "MESSAGE_TIME"),
        (
            lambda r: setattr(r.conversations[0].messages[0], "sent_at_ms", NOW_MS + 600_001),
            "MESSAGE_TIME",
        ),
        (lambda r: setattr(r.conversations[0].messages[0], "sender", ""), "MESSAGE_SENDER"),
        (lambda r: setattr(r.conversations[0].messages[0], "kind", 0), "MESSAGE_FIELD"),
        (lambda r: setattr(r.conversations[0].messages[0], "opaque", b"x"), "MESSAGE_FIELD"),
        (
            lambda r: r.conversations[0].messages.extend(people.chatter(NOW_MS, [1], 5_000)),
            "BATCH_TOO_LARGE",
        ),
    ],
)
def test_a_malformed_batch_is_refused_with_its_reason(
    world: StoreWorld, change: Callable[[pb.AppendMessagesRequest], None], reason: str
) -> None:
    world.put(ROOM)
    request = people.batch(people.part(ROOM, people.chatter(NOW_MS, [1], 2)))
    change(request)
    with pytest.raises(RefusedError, match=f"^{reason}"):
        world.store.append(PRODUCER, request)
    assert world.count("batches") == 0


def test_messages_sent_as_one_block_are_checked_and_kept_alike(world: StoreWorld) -> None:
    sent = people.chatter(NOW_MS - 5_000, [1, 2, 3], 40)
    world.put(ROOM)
    world.append(people.batch(people.serialised(people.part(ROOM, sent))))
    assert world.messages(world.custody.ticket(("account", "acct-00001"))) == sent
    for wrong, reason in (
        (people.text(NOW_MS, 4, "안녕"), "MESSAGE_SENDER"),
        (people.text(0, 1, "안녕"), "MESSAGE_TIME"),
        (people.text(NOW_MS + 600_001, 1, "안녕"), "MESSAGE_TIME"),
        (pb.ChatMessage(sent_at_ms=NOW_MS, sender="acct-00001"), "MESSAGE_FIELD"),
        (
            pb.ChatMessage(sent_at_ms=NOW_MS, sender="acct-00001", kind=pb.MESSAGE_KIND_TEXT, opaque=b"x"),
            "MESSAGE_FIELD",
        ),
    ):
        part = people.serialised(people.part(ROOM, [*sent, wrong]))
        with pytest.raises(RefusedError, match=f"^{reason}"):
            world.store.append(PRODUCER, people.batch(part))
    assert world.count("batches") == 1


@pytest.mark.parametrize("block", [b"\x0a\xff", b"\x0a\x04\x22\x02\xff\xfe"])
def test_what_is_no_block_of_messages_is_refused(world: StoreWorld, block: bytes) -> None:
    world.put(ROOM)
    part = people.part(ROOM, [])
    part.block = block
    with pytest.raises(RefusedError, match="BATCH_FIELD"):
        world.store.append(PRODUCER, people.batch(part))


def test_messages_and_a_block_at_once_are_refused(world: StoreWorld) -> None:
    world.put(ROOM)
    part = people.part(ROOM, people.chatter(NOW_MS, [1], 2))
    part.block = people.serialised(part).block
    with pytest.raises(RefusedError, match="BATCH_FIELD"):
        world.store.append(PRODUCER, people.batch(part))


def test_a_secret_chats_block_is_kept_as_it_is(world: StoreWorld) -> None:
    sent = people.secret_chat(NOW_MS - 10, 3)
    world.put(ROOM)
    world.append(people.batch(people.part(ROOM, sent, pb.SEGMENT_KIND_OPAQUE)))
    assert world.messages(world.custody.ticket(("account", "acct-00002"))) == sent


def test_a_secret_chat_with_readable_text_is_refused(world: StoreWorld) -> None:
    world.put(ROOM)
    sent = people.secret_chat(NOW_MS, 1)
    sent[0].text = "읽히는 말"
    with pytest.raises(RefusedError, match="MESSAGE_FIELD"):
        world.store.append(PRODUCER, people.batch(people.part(ROOM, sent, pb.SEGMENT_KIND_OPAQUE)))


def test_a_copy_of_the_database_names_nobody(world: StoreWorld) -> None:
    rooms = [people.room(f"방-{number}", [number, number + 1, 77], "비밀 모임") for number in range(1, 6)]
    world.put(*rooms)
    sent = {room.conversation_id: people.chatter(NOW_MS, [77], 30, seed=5) for room in rooms}
    world.append(people.batch(*(people.part(room, sent[room.conversation_id]) for room in rooms)))
    world.store.forecast(world.custody.ticket(("account", "acct-00077"), purpose="forecast"))
    world.close()
    copy = b"".join(path.read_bytes() for path in sorted(world.folder.glob("messages.db*")))
    needles = {one.text for messages in sent.values() for one in messages}
    for room in rooms:
        needles |= {room.conversation_id, room.title}
        for member in room.members:
            needles |= {member.account, *member.names, *member.phones, *member.emails}
            needles |= {phone.removeprefix("+82") for phone in member.phones}
    assert [one for one in needles if one.encode() in copy or one.encode("utf-16-le") in copy] == []
    digests = [people.digest(room) for room in rooms]
    assert [one for one in digests if one in copy or one.hex().encode() in copy] == []


def test_tags_of_two_epochs_are_not_alike(world: StoreWorld) -> None:
    world.put(ROOM)
    world.clock.advance(24 * HOUR_MS)
    world.put(ROOM)
    with world.database.reading() as connection:
        tags = connection.exec_driver_sql("SELECT tag FROM member_tags").scalars().all()
        conversations = connection.exec_driver_sql("SELECT tag FROM rosters").scalars().all()
    assert len(set(tags)) == 2 * 9
    assert len(set(conversations)) == 2


def test_over_capacity_the_store_is_busy_and_stores_nothing(world: StoreWorld) -> None:
    world.put(ROOM)
    request = people.batch(people.part(ROOM, people.chatter(NOW_MS, [1], 1)))
    capacity = world.store._writer._capacity
    with contextlib.ExitStack() as held:
        for _ in range(world.settings.batches_at_once):
            held.enter_context(capacity.hold(1))
        with pytest.raises(RefusedError, match="STORE_BUSY") as refusal:
            world.store.append(PRODUCER, request)
        assert refusal.value.kind is Kind.EXHAUSTED
        assert refusal.value.retry_after_s
    world.append(request)
    assert world.count("batches") == 1


@pytest.mark.sqlite
def test_a_locked_database_is_a_clear_error_and_nothing_is_half_done(world: StoreWorld) -> None:
    world.put(ROOM)
    world.append(people.batch(people.part(ROOM, people.chatter(NOW_MS, [1], 1))))
    request = people.batch(people.part(ROOM, people.chatter(NOW_MS, [1], 1)))
    engines = world.database._engines
    engines.writer.dispose()
    engines._busy_timeout_ms = 100
    other = sqlite3.connect(world.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RefusedError, match="DATABASE_LOCKED"):
        world.store.append(PRODUCER, request)
    other.execute("ROLLBACK")
    other.close()
    assert world.count("batches") == 1
    world.append(request)
    assert world.count("batches") == 2


@pytest.mark.sqlite
def test_a_read_only_database_is_a_clear_error(world: StoreWorld) -> None:
    world.put(ROOM)
    with world.database.writing() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    request = people.batch(people.part(ROOM, people.chatter(NOW_MS, [1], 1)))
    with pytest.raises(RefusedError, match="DATABASE_READ_ONLY"):
        world.store.append(PRODUCER, request)
    assert world.count("batches") == 0


@pytest.mark.sqlite
def test_a_full_database_is_a_clear_error_and_nothing_is_half_done(world: StoreWorld) -> None:
    world.put(ROOM)
    with world.database.writing() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    sent = [people.text(NOW_MS, 1, secrets.token_hex(64)) for _ in range(4_000)]
    with pytest.raises(RefusedError, match="DATABASE_FULL"):
        world.store.append(PRODUCER, people.batch(people.part(ROOM, sent)))
    assert (world.count("batches"), world.count("parts"), world.count("segments")) == (0, 0, 0)


@pytest.mark.parametrize(
    ("members", "reason", "field"),
    [
        ([], "ROSTER_EMPTY", "rosters[0].members"),
        ([pb.Member(account="")], "ROSTER_MEMBER", "rosters[0].members"),
        ([people.member(1), people.member(1)], "ROSTER_MEMBER", "rosters[0].members"),
        (
            [pb.Member(account="a", phones=["010-0000-1234"])],
            "ROSTER_MEMBER",
            "rosters[0].members[0].phones[0]",
        ),
        ([pb.Member(account=f"a{n}") for n in range(10_001)], "ROSTER_TOO_LARGE", "rosters[0].members"),
    ],
)
def test_a_malformed_roster_is_refused_with_its_field(
    world: StoreWorld, members: list[pb.Member], reason: str, field: str
) -> None:
    with pytest.raises(RefusedError, match=f"^{reason}") as refusal:
        world.put(pb.Roster(conversation_id="방", members=members))
    assert refusal.value.field == field
    assert world.count("rosters") == 0


def test_a_roster_is_stored_once_for_each_epoch(world: StoreWorld) -> None:
    world.put(ROOM, ROOM)
    world.put(ROOM)
    world.start()
    world.put(ROOM)
    assert world.count("rosters") == 1


def test_what_a_message_costs_does_not_grow_with_its_group(world: StoreWorld) -> None:
    big = people.room("큰방", range(1, 500))
    world.put(big)
    before = world.count("member_tags"), world.count("rosters")
    world.append(people.batch(people.part(big, people.chatter(NOW_MS, [1, 2], 50))))
    assert (world.count("member_tags"), world.count("rosters")) == before
    assert world.count("segments") == 1


def test_a_resumable_batch_cut_elsewhere_is_told_where_it_was_cut(world: StoreWorld) -> None:
    world.put(ROOM)
    sent = people.chatter(NOW_MS - 5_000, [1, 2], 5)
    first = people.batch(people.part(ROOM, sent[:3]))
    first.resumable = True
    stored = world.append(first)
    for messages in (sent, sent[:2]):
        again = people.batch(people.part(ROOM, messages), batch_id=first.batch_id)
        again.resumable = True
        assert world.store.append(PRODUCER, again) == Before(3)
        again.resumable = False
        with pytest.raises(RefusedError, match="BATCH_CHANGED"):
            world.store.append(PRODUCER, again)
    assert world.append(first) == stored
    other = people.batch(people.part(ROOM, sent[1:4]), batch_id=first.batch_id)
    other.resumable = True
    with pytest.raises(RefusedError, match="BATCH_CHANGED"):
        world.store.append(PRODUCER, other)
    assert world.count("batches") == 1


def test_another_size_under_a_batch_id_is_seen_without_the_epochs_key(world: StoreWorld) -> None:
    world.put(ROOM)
    sent = people.chatter(NOW_MS - 5_000, [1, 2], 5)
    first = people.batch(people.part(ROOM, sent[:3]))
    world.append(first)
    world.clock.advance(2 * DAY_MS)
    world.start()
    world.put(ROOM)
    again = people.batch(people.part(ROOM, sent), batch_id=first.batch_id)
    with pytest.raises(RefusedError, match="BATCH_CHANGED"):
        world.store.append(PRODUCER, again)
    again.resumable = True
    assert world.store.append(PRODUCER, again) == Before(3)
