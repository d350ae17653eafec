from __future__ import annotations

import pytest

from garim.messages.epochs import EpochOffer
from garim.messages.writer import Unknown
from garim.sealing import hpke, write_secret
from garim.sealing.secret import Secret
from garim.sealing.write_secret import SealedWriteSecret, WriteSecretRecord
from garim.statements.refusal import RefusedError
from messages_support import people
from messages_support.store import MESH, NOW_MS, PRODUCER, STORE, StoreWorld

ROOM = people.room("방-1", [1, 2])
DAY_MS = 86_400_000


def _kept(world: StoreWorld) -> list[SealedWriteSecret]:
    with world.database.reading() as connection:
        rows = connection.exec_driver_sql(
            "SELECT record, signature, sealed FROM write_secrets ORDER BY partition, number"
        )
        return [SealedWriteSecret(*row) for row in rows]


def _append(world: StoreWorld) -> None:
    world.append(people.batch(people.part(ROOM, people.chatter(world.clock.now_ms(), [1], 1))))


def test_a_write_secret_lives_no_longer_than_its_time_and_is_overwritten(world: StoreWorld) -> None:
    world.put(ROOM)
    held = world.store.secrets._held
    assert held is not None
    buffers = [held.secret._buffer, held.segment_root._buffer, held.roster_root._buffer]
    world.clock.advance(58_000)
    world.store.secrets.end_old()
    assert world.store.secrets._held is None
    assert all(not any(buffer) for buffer in buffers)


def test_the_monotonic_clock_ends_it_even_if_the_wall_clock_stands_still(world: StoreWorld) -> None:
    world.put(ROOM)
    world.clock.advance(59_000)
    world.clock.jump_wall(-59_000)
    _append(world)
    assert len(_kept(world)) == 2


@pytest.mark.parametrize("jump", [-1, 60_000])
def test_a_jump_of_the_wall_clock_out_of_its_record_ends_it(world: StoreWorld, jump: int) -> None:
    world.put(ROOM)
    world.clock.jump_wall(jump)
    _append(world)
    assert len(_kept(world)) == 2


def test_records_are_signed_chained_and_within_their_epoch(world: StoreWorld) -> None:
    world.put(ROOM)
    for _ in range(3):
        _append(world)
        world.clock.advance(61_000)
    keys = {STORE: world.governance.store_key.public_key().public_bytes_raw()}
    previous = bytes(32)
    for kept in _kept(world):
        record = write_secret.verify(kept, MESH, keys)
        assert record.previous == previous
        previous = write_secret.hashlib.sha256(kept.record).digest()
    assert len(_kept(world)) == 3


def test_each_process_has_a_chain_of_its_own(world: StoreWorld) -> None:
    world.put(ROOM)
    _append(world)
    world.start()
    _append(world)
    records = [WriteSecretRecord.decode(kept.record) for kept in _kept(world)]
    assert [record.previous for record in records] == [bytes(32)] * 2


def test_a_write_secret_ends_with_its_epoch(world: StoreWorld) -> None:
    epoch_end = NOW_MS - NOW_MS % DAY_MS + DAY_MS
    world.clock.advance(epoch_end - NOW_MS - 10_000)
    world.put(ROOM)
    record = WriteSecretRecord.decode(_kept(world)[0].record)
    assert record.not_after == epoch_end
    world.clock.advance(10_000)
    world.put(ROOM)
    records = [WriteSecretRecord.decode(kept.record) for kept in _kept(world)]
    assert records[0].epoch != records[1].epoch
    assert records[1].previous == bytes(32)


def test_the_record_is_durable_before_anything_is_acknowledged_under_it(
    world: StoreWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RefusedError("DATABASE_FULL", "the disk is full")

    monkeypatch.setattr(world.store.secrets, "_keep", fail)
    with pytest.raises(RefusedError, match="DATABASE_FULL"):
        world.put(ROOM)
    assert world.count("rosters") == 0
    assert world.store.secrets._held is None


def test_a_batch_that_is_not_sealed_in_time_is_sealed_again_under_the_next(
    world: StoreWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put(ROOM)
    seal = world.store._writer._seal
    slow = iter([59_000, 0])

    def sealing(*given: object) -> object:
        sealed = seal(*given)  # type: ignore[arg-type] # passed on
        world.clock.advance(next(slow))
        return sealed

    monkeypatch.setattr(world.store._writer, "_seal", sealing)
    sent = people.chatter(NOW_MS - 10, [1], 3)
    world.append(people.batch(people.part(ROOM, sent)))
    assert len(_kept(world)) == 2
    assert world.count("batches") == 1
    assert world.messages(world.custody.ticket(("account", "acct-00001"))) == sent


def test_storing_goes_on_through_midnight_while_custody_is_away(world: StoreWorld) -> None:
    world.put(ROOM)
    world.store.keep_house()
    world.custody.away = True
    world.clock.advance(DAY_MS)
    world.put(ROOM)
    _append(world)
    world.clock.advance(DAY_MS)
    with pytest.raises(RefusedError, match="STORE_EPOCH"):
        world.put(ROOM)
    world.custody.away = False
    world.clock.advance(1_000)
    world.put(ROOM)


def test_an_epochs_index_key_is_overwritten_at_its_end(world: StoreWorld) -> None:
    world.put(ROOM)
    epoch = world.store.epochs.current()
    buffer = epoch.offer.index_key.buffer
    world.clock.advance(DAY_MS)
    world.store.keep_house()
    assert not any(buffer)
    assert world.store.epochs.current() is not epoch


def test_a_batch_that_the_end_of_its_epoch_overtakes_goes_into_the_next(
    world: StoreWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put(ROOM)
    world.store.keep_house()
    find = world.store._writer._rosters.find
    late = iter([DAY_MS, 0, 0])

    def finding(*given: object) -> object:
        if step := next(late):
            world.clock.advance(step)
            world.store.keep_house()
        return find(*given)  # type: ignore[arg-type] # passed on

    monkeypatch.setattr(world.store._writer._rosters, "find", finding)
    request = people.batch(people.part(ROOM, people.chatter(NOW_MS, [1], 3)))
    assert world.store.append(PRODUCER, request) == Unknown((0,))
    world.put(ROOM)
    assert world.append(request).epoch == world.custody.epochs[1].id


def test_a_batch_sent_again_after_midnight_is_stored_once(world: StoreWorld) -> None:
    world.put(ROOM)
    request = people.batch(people.part(ROOM, people.chatter(NOW_MS, [1], 3)))
    first = world.append(request)
    world.clock.advance(DAY_MS)
    world.store.keep_house()
    assert world.append(request) == first
    request.conversations[0].messages[0].text = "다른 말"
    with pytest.raises(RefusedError, match="BATCH_CHANGED"):
        world.store.append(PRODUCER, request)


def test_a_batch_is_remembered_until_its_rows_are_dropped(world: StoreWorld) -> None:
    world.put(ROOM)
    request = people.batch(people.part(ROOM, people.chatter(NOW_MS, [1], 1)))
    first = world.append(request)
    for _ in range(3):
        world.clock.advance(DAY_MS)
        world.store.keep_house()
    world.put(ROOM)
    assert world.append(request) == first


def test_the_index_key_is_in_no_file(world: StoreWorld) -> None:
    world.put(ROOM)
    _append(world)
    key = world.custody.epochs[0].index_key
    world.close()
    assert all(key not in path.read_bytes() for path in world.folder.glob("messages.db*"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"epoch": b"short"}, "EPOCH_INVALID"),
        ({"public_key": b"short"}, "EPOCH_INVALID"),
        ({"index_key": Secret(bytearray(31))}, "EPOCH_INVALID"),
        ({"not_after": NOW_MS - NOW_MS % DAY_MS}, "EPOCH_INVALID"),
        ({"not_after": NOW_MS + 1}, "EPOCH_CHANGED"),
        ({"index_key": Secret(bytearray(32))}, "EPOCH_CHANGED"),
        ({"epoch": bytes(16)}, "EPOCH_CHANGED"),
    ],
)
def test_what_custody_cannot_have_meant_is_refused(
    world: StoreWorld, change: dict[str, object], reason: str
) -> None:
    known = world.store.epochs.current().offer
    fields = {
        "epoch": known.epoch,
        "not_before": known.not_before,
        "not_after": known.not_after,
        "public_key": known.public_key,
        "index_key": Secret(bytearray(known.index_key.buffer)),
    } | change
    world.store.epochs._ask = lambda: [EpochOffer(**fields)]  # type: ignore[arg-type] # one is wrong
    with pytest.raises(RefusedError, match=f"^{reason}"):
        world.store.epochs.refresh()


def test_one_secret_is_never_used_in_two_epochs(world: StoreWorld) -> None:
    world.put(ROOM)
    world.clock.advance(DAY_MS)
    world.put(ROOM)
    opened = [world.custody.open_secret(kept) for kept in _kept(world)]
    assert len({bytes(one.buffer) for one in opened}) == 2
    assert len(world.custody.epochs[0].public) == hpke.PUBLIC_BYTES
