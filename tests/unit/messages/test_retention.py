from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from garim.messages.accounts import conversation_leaf
from garim.messages.partition_rows import PARTITIONED
from garim.messages.reader import ConversationItem, SegmentItem
from garim.statements.receipts import EpochClosed
from garim.translog.proofs import verify_inclusion
from garim.translog.tree import hash_leaf
from messages_support import people
from messages_support.store import NOW_MS, StoreWorld

DAY_MS = 86_400_000
ROOM, OTHER = people.room("방-1", [1, 2]), people.room("방-2", [3, 4])
SUBJECT = ("account", "acct-00001")


@pytest.fixture
def filled(world: StoreWorld) -> StoreWorld:
    world.put(ROOM, OTHER)
    for number in range(4):
        world.append(
            people.batch(
                people.part(OTHER, people.chatter(NOW_MS - 9_000 + number * 1_000, [3], 5, 90 + number)),
                people.part(ROOM, people.chatter(NOW_MS - 9_000 + number * 1_000, [1], 5, number)),
                people.part(OTHER, people.chatter(NOW_MS - 9_000 + number * 1_000, [4], 5, 95 + number)),
            )
        )
    return world


def _pass_days(world: StoreWorld, days: int) -> None:
    for _ in range(days):
        world.clock.advance(DAY_MS)
        world.store.keep_house()
    world.clock.advance(600_000)
    world.store.keep_house()


def test_rows_are_dropped_past_retention_and_not_before(filled: StoreWorld) -> None:
    _pass_days(filled, 3)
    assert filled.count("batches") == 4
    assert len(filled.messages(filled.custody.ticket(SUBJECT))) == 20
    _pass_days(filled, 1)
    for table in PARTITIONED:
        assert filled.count(table.name) == 0, table.name
    assert filled.items(filled.custody.ticket(SUBJECT)) == []


@pytest.mark.sqlite
def test_nothing_of_dropped_rows_is_left_in_the_file(filled: StoreWorld) -> None:
    with filled.database.reading() as connection:
        data = connection.exec_driver_sql("SELECT data FROM parts LIMIT 1").scalar_one()
    _pass_days(filled, 4)
    with filled.database.writing() as connection:
        connection.exec_driver_sql("SELECT 1")
    filled.close()
    assert data[20:60] not in Path(filled.path).read_bytes()


def test_a_clock_that_jumps_ahead_for_a_moment_loses_nothing(filled: StoreWorld) -> None:
    _pass_days(filled, 1)
    filled.clock.jump_wall(30 * DAY_MS)
    filled.store.keep_house()
    filled.clock.advance(60_000)
    filled.store.keep_house()
    filled.clock.jump_wall(-30 * DAY_MS)
    filled.store.keep_house()
    assert filled.count("batches") == 4


def test_rows_stay_until_their_epoch_is_accounted_for_in_the_log(filled: StoreWorld) -> None:
    filled.audit.misbehaviour.silent = True
    _pass_days(filled, 5)
    assert filled.count("batches") == 4


def test_a_preservation_order_keeps_exactly_its_scope(filled: StoreWorld) -> None:
    window = {"start": NOW_MS - 8_000, "end": NOW_MS - 6_000}
    order = filled.custody.ticket(SUBJECT, purpose="preserve", **window)  # type: ignore[arg-type] # numbers
    preserved = filled.messages(order)
    assert len(preserved) == 10
    _pass_days(filled, 5)
    ticket = filled.custody.ticket(SUBJECT)
    items = filled.items(ticket)
    assert filled.opened(items) == preserved
    segments = [one for one in items if isinstance(one, SegmentItem)]
    with filled.database.reading() as connection:
        kept = connection.exec_driver_sql("SELECT sum(length(data)) FROM parts").scalar_one()
    assert kept == sum(len(one.ciphertext) for one in segments)
    assert (filled.count("rosters"), filled.count("conversations")) == (1, 1)


def test_what_is_preserved_still_proves_itself_against_the_logged_account(filled: StoreWorld) -> None:
    filled.items(filled.custody.ticket(SUBJECT, purpose="preserve", end=NOW_MS - 6_000))
    _pass_days(filled, 5)
    items = filled.items(filled.custody.ticket(SUBJECT))
    one = next(item for item in items if isinstance(item, ConversationItem))
    assert len(one.headers) == 4
    account = hashlib.sha256(b"".join(hashlib.sha256(header).digest() for header in one.headers)).digest()
    leaf = conversation_leaf(one.tag, len(one.headers), account)
    with filled.database.reading() as connection:
        payload = connection.exec_driver_sql("SELECT payload FROM epochs ORDER BY number").scalars().first()
    root = bytes.fromhex(EpochClosed.from_bytes(payload).conversations_root)
    verify_inclusion(hash_leaf(leaf), one.place, one.size, one.path, root)


def _preserve(world: StoreWorld, order_days: int, **window: int) -> list[object]:
    ends = NOW_MS + order_days * DAY_MS
    return list(
        world.messages(
            world.custody.ticket(
                SUBJECT,
                purpose="preserve",
                end=window.get("end", NOW_MS - 6_000),
                order_ends=ends,
                document=f"{order_days:02x}" * 32,
            )
        )
    )


def test_the_end_of_the_order_ends_what_it_kept(filled: StoreWorld) -> None:
    preserved = _preserve(filled, 8)
    _pass_days(filled, 7)
    assert filled.messages(filled.custody.ticket(SUBJECT)) == preserved
    _pass_days(filled, 1)
    assert (filled.count("batches"), filled.count("rosters"), filled.count("preserved")) == (0, 0, 0)


def test_an_order_that_ends_before_retention_keeps_nothing_beyond_it(filled: StoreWorld) -> None:
    _preserve(filled, 2)
    _pass_days(filled, 5)
    _pass_days(filled, 0)
    assert (filled.count("batches"), filled.count("preserved")) == (0, 0)


def test_a_clock_that_jumps_ahead_for_a_moment_ends_no_order(filled: StoreWorld) -> None:
    preserved = _preserve(filled, 30)
    _pass_days(filled, 5)
    filled.clock.jump_wall(60 * DAY_MS)
    filled.store.keep_house()
    filled.clock.advance(60_000)
    filled.store.keep_house()
    filled.clock.jump_wall(-60 * DAY_MS)
    filled.store.keep_house()
    assert filled.messages(filled.custody.ticket(SUBJECT)) == preserved


def test_the_end_of_one_order_leaves_what_another_keeps(filled: StoreWorld) -> None:
    wide = _preserve(filled, 8)
    narrow = _preserve(filled, 30, end=NOW_MS - 8_000)
    _pass_days(filled, 7)
    assert len(filled.messages(filled.custody.ticket(SUBJECT))) == len(wide) > len(narrow)
    _pass_days(filled, 2)
    assert filled.messages(filled.custody.ticket(SUBJECT)) == narrow
    assert filled.count("preserved") == 1


def test_reading_for_a_dossier_holds_nothing_back(filled: StoreWorld) -> None:
    filled.items(filled.custody.ticket(SUBJECT))
    _pass_days(filled, 4)
    assert filled.count("batches") == 0
