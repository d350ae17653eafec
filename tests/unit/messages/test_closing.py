from __future__ import annotations

import hashlib

import pytest

from garim.kit.identity import service_id
from garim.messages import accounts
from garim.messages.accounts import conversation_leaf
from garim.messages.reader import ConversationItem, EpochItem, SegmentItem
from garim.sealing.segment import SegmentHeader
from garim.sealing.write_secret import FIRST_PREVIOUS, WriteSecretRecord
from garim.statements.labels import lp
from garim.statements.receipts import EpochClosed
from garim.statements.refusal import RefusedError
from garim.testing.succession import succeeded
from garim.translog.proofs import verify_inclusion
from garim.translog.tree import EMPTY_ROOT, hash_leaf
from messages_support import people
from messages_support.store import MESH, NOW_MS, PRODUCER, STORE, StoreWorld

DAY_MS = 86_400_000
ROOMS = [people.room(f"방-{number}", [1, number]) for number in range(2, 9)]
SUBJECT = ("account", "acct-00001")


@pytest.fixture
def closed(world: StoreWorld) -> StoreWorld:
    world.put(*ROOMS)
    for number in range(3):
        world.append(
            people.batch(
                *(people.part(room, people.chatter(NOW_MS, [1], 3, number)) for room in ROOMS[: 3 + number])
            )
        )
        world.clock.advance(70_000)
    world.clock.advance(DAY_MS)
    world.store.keep_house()
    return world


def _items(world: StoreWorld) -> tuple[EpochItem, list[ConversationItem], list[SegmentItem]]:
    items = world.items(world.custody.ticket(SUBJECT))
    epochs = [one for one in items if isinstance(one, EpochItem)]
    assert len(epochs) == 1
    assert items[0] == epochs[0]
    return (
        epochs[0],
        [one for one in items if isinstance(one, ConversationItem)],
        [one for one in items if isinstance(one, SegmentItem)],
    )


def _statement(world: StoreWorld, item: EpochItem) -> EpochClosed:
    keys = world.governance.current().keys_of("messages", STORE)
    return EpochClosed.verify(item.statement, keys, mesh=MESH, now=None)


def test_the_account_of_a_closed_epoch_is_signed_and_logged(closed: StoreWorld) -> None:
    item, _, _ = _items(closed)
    statement = _statement(closed, item)
    assert (statement.segments, statement.conversations, statement.store) == (3 + 4 + 5, 5, STORE)
    actor = service_id(MESH, "messages")
    closed.ledger.verify(item.statement.payload, item.proof, kind="epoch-closed", actor=actor)


def test_the_chain_of_write_secrets_leads_to_the_logged_head(closed: StoreWorld) -> None:
    item, _, _ = _items(closed)
    statement = _statement(closed, item)
    previous = FIRST_PREVIOUS
    for record in item.records:
        assert WriteSecretRecord.decode(record).previous == previous
        previous = hashlib.sha256(record).digest()
    assert statement.head == previous.hex()
    assert statement.write_secrets == len(item.records) == 3


def test_each_conversations_account_leads_to_the_logged_root(closed: StoreWorld) -> None:
    item, conversations, segments = _items(closed)
    root = bytes.fromhex(_statement(closed, item).conversations_root)
    assert len(conversations) == 5
    for one in conversations:
        account = hashlib.sha256(b"".join(hashlib.sha256(header).digest() for header in one.headers)).digest()
        leaf = conversation_leaf(one.tag, len(one.headers), account)
        verify_inclusion(hash_leaf(leaf), one.place, one.size, one.path, root)
        of_it = [
            segment.header
            for segment in segments
            if SegmentHeader.decode(segment.header).conversation == one.tag
        ]
        assert of_it == one.headers


def test_a_leaf_binds_tag_count_and_headers() -> None:
    assert conversation_leaf(b"t" * 32, 3, b"a" * 32) == lp(b"t" * 32) + bytes(7) + b"\x03" + b"a" * 32


def test_a_segment_planted_into_a_closed_epoch_shows(closed: StoreWorld) -> None:
    with closed.database.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO batches SELECT partition, 400, 'planted', digest, digest, received, secret,"
            " messages FROM batches WHERE number = (SELECT min(number) FROM batches)"
        )
        connection.exec_driver_sql(
            "INSERT INTO parts SELECT partition, bucket, 400, data FROM parts"
            " WHERE batch = (SELECT min(number) FROM batches)"
        )
        connection.exec_driver_sql(
            "INSERT INTO segments SELECT partition, bucket, kind, roster, 400, place, size, sent_first,"
            " sent_span, messages, segment FROM segments WHERE batch = (SELECT min(number) FROM batches)"
        )
    item, conversations, _ = _items(closed)
    root = bytes.fromhex(_statement(closed, item).conversations_root)
    one = max(conversations, key=lambda it: len(it.headers))
    account = hashlib.sha256(b"".join(hashlib.sha256(header).digest() for header in one.headers)).digest()
    leaf = conversation_leaf(one.tag, len(one.headers), account)
    with pytest.raises(Exception, match="LOG_INCLUSION"):
        verify_inclusion(hash_leaf(leaf), one.place, one.size, one.path, root)


def test_an_epoch_without_a_message_is_closed_as_empty(world: StoreWorld) -> None:
    world.store.epochs.current()
    world.clock.advance(DAY_MS)
    world.store.keep_house()
    with world.database.reading() as connection:
        row = connection.exec_driver_sql("SELECT payload, envelope FROM epochs ORDER BY number").first()
    assert row is not None
    assert row.envelope is not None
    statement = EpochClosed.from_bytes(row.payload)
    assert (statement.head, statement.segments, statement.conversations_root) == (None, 0, EMPTY_ROOT.hex())


def test_a_silent_log_delays_closing_and_the_account_stays_the_same(world: StoreWorld) -> None:
    world.put(*ROOMS)
    world.append(people.batch(people.part(ROOMS[0], people.chatter(NOW_MS, [1], 3))))
    world.clock.advance(DAY_MS)
    world.audit.misbehaviour.silent = True
    world.store.keep_house()
    with world.database.reading() as connection:
        payload, envelope = connection.exec_driver_sql(
            "SELECT payload, envelope FROM epochs WHERE number = 1"
        ).one()
    assert payload is not None
    assert envelope is None
    world.clock.advance(600_000)
    world.audit.misbehaviour.silent = False
    world.start()
    world.clock.advance(60_000)
    world.store.keep_house()
    item, _, _ = _items(world)
    assert item.statement.payload == payload


def test_large_epochs_are_accounted_for_in_parts(world: StoreWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "_CONVERSATIONS_AT_ONCE", 2)
    monkeypatch.setattr(accounts, "_PAGE", 2)
    world.put(*ROOMS)
    world.append(people.batch(*(people.part(room, people.chatter(NOW_MS, [1], 3)) for room in ROOMS)))
    world.append(people.batch(*(people.part(room, people.chatter(NOW_MS, [1], 3)) for room in ROOMS)))
    world.clock.advance(DAY_MS)
    world.store.keep_house()
    item, conversations, _ = _items(world)
    assert _statement(world, item).segments == 14
    root = bytes.fromhex(_statement(world, item).conversations_root)
    for one in conversations:
        account = hashlib.sha256(b"".join(hashlib.sha256(h).digest() for h in one.headers)).digest()
        verify_inclusion(
            hash_leaf(conversation_leaf(one.tag, 2, account)), one.place, one.size, one.path, root
        )


def test_nothing_is_stored_in_an_epoch_that_has_ended_here_even_if_the_clock_goes_back(
    closed: StoreWorld,
) -> None:
    closed.clock.jump_wall(-DAY_MS)
    closed.start()
    with pytest.raises(Exception, match="STORE_EPOCH"):
        closed.store.put_rosters(ROOMS)


def test_a_clock_that_jumps_ahead_for_a_moment_ends_no_epoch(world: StoreWorld) -> None:
    world.put(*ROOMS)
    world.store.keep_house()
    for _ in range(3):
        world.clock.jump_wall(2 * DAY_MS)
        world.store.keep_house()
        world.clock.advance(20_000)
        world.store.keep_house()
        world.clock.jump_wall(-2 * DAY_MS)
        world.store.keep_house()
    request = people.batch(people.part(ROOMS[0], people.chatter(NOW_MS, [1], 3)))
    assert world.append(request).epoch == world.custody.epochs[0].id
    assert not [leaf for leaf in world.audit.leaves if b"epoch-closed" in leaf]


def test_a_batch_sealed_before_its_epoch_ended_is_not_stored_into_it_afterwards(
    world: StoreWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put(*ROOMS)
    number = world.store.epochs.current().number
    seal = world.store._writer._seal

    def sealing(*given: object) -> object:
        sealed = seal(*given)  # type: ignore[arg-type] # passed on
        world.store._accountant.end(number)
        return sealed

    monkeypatch.setattr(world.store._writer, "_seal", sealing)
    request = people.batch(people.part(ROOMS[0], people.chatter(NOW_MS, [1], 3)))
    with pytest.raises(RefusedError, match="STORE_BUSY"):
        world.store.append(PRODUCER, request)
    assert world.count("batches") == 0


def test_an_ended_epoch_gets_no_further_write_secret(world: StoreWorld) -> None:
    world.put(ROOMS[0])
    world.store._accountant.end(world.store.epochs.current().number)
    world.clock.advance(60_000)
    with pytest.raises(RefusedError, match="STORE_EPOCH"):
        world.put(ROOMS[1])
    assert world.count("write_secrets") == 1


def test_the_log_learns_only_that_an_epoch_was_closed(closed: StoreWorld) -> None:
    leaf = closed.audit.leaves[-1]
    assert b"epoch-closed" in leaf
    assert SUBJECT[1].encode() not in leaf


def test_after_a_succession_the_accounts_of_closed_epochs_are_logged_anew(closed: StoreWorld) -> None:
    actor = service_id(MESH, "messages")
    closed.audit = succeeded(closed.governance, closed.audit)
    closed.start()
    before, _, _ = _items(closed)
    with pytest.raises(RefusedError, match="LOG_SUCCEEDED"):
        closed.ledger.verify(before.statement.payload, before.proof, kind="epoch-closed", actor=actor)
    closed.store.keep_house()
    closed.clock.advance(70_000)
    closed.store.keep_house()
    item, _, _ = _items(closed)
    assert item.statement == before.statement
    closed.ledger.verify(item.statement.payload, item.proof, kind="epoch-closed", actor=actor)
    entries = len(closed.audit.leaves)
    closed.store.keep_house()
    assert len(closed.audit.leaves) == entries
