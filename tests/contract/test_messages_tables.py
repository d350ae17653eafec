"""The store keeps its promises on either engine, on PostgreSQL as a role without DDL and without DELETE."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from garim.api.messages.v1 import messages_pb2 as pb
from garim.messages import partition_rows, scope_rows, status_rows
from garim.messages.partition_rows import PARTITIONED
from garim.messages.reader import ConversationItem, Item, Pass, SecretRow, SegmentItem
from garim.messages.service import MessageStore
from garim.messages.status_rows import EpochStatus
from garim.statements.refusal import RefusedError
from kit_support.engines import on_postgres
from kit_support.postgres import Postgres
from messages_support import people
from messages_support.store import NOW_MS, PRODUCER, StoreWorld

DAY_MS = 86_400_000
SUBJECT = ("account", "acct-00001")
ROOMS = [people.room(f"방-{number}", [1, number]) for number in range(2, 6)]


@pytest.fixture
def world(engine: str, tmp_path: Path) -> Iterator[StoreWorld]:
    made = StoreWorld(tmp_path, more="buckets = 3")
    yield made
    made.close()


@pytest.fixture
def on_server(postgres: Postgres, tmp_path: Path) -> Iterator[StoreWorld]:
    with on_postgres(postgres):
        made = StoreWorld(tmp_path, more="buckets = 3")
        yield made
        made.close()


def _fill(world: StoreWorld, batches: int = 4) -> None:
    world.put(*ROOMS)
    for number in range(batches):
        now = NOW_MS - 9_000 + number * 1_000
        world.append(
            people.batch(*(people.part(room, people.chatter(now, [1], 5, number)) for room in ROOMS))
        )


def _pass_days(world: StoreWorld, days: int) -> None:
    for _ in range(days):
        world.clock.advance(DAY_MS)
        world.store.keep_house()
    world.clock.advance(600_000)
    world.store.keep_house()


def _texts(messages: list[pb.ChatMessage]) -> list[str]:
    return [one.text for one in messages]


def test_every_message_is_read_once_and_in_order_from_any_place(world: StoreWorld) -> None:
    _fill(world)
    _pass_days(world, 1)
    ticket = world.custody.ticket(SUBJECT)
    whole = list(world.store.read(ticket, Pass.SEGMENTS, ""))
    assert len(world.opened([item for item, _ in whole])) == 4 * 4 * 5
    segments = [item for item, _ in whole if isinstance(item, SegmentItem)]
    accounts = [item for item, _ in whole if isinstance(item, ConversationItem)]
    assert [header for one in accounts for header in one.headers] == [one.header for one in segments]
    bare = [item for item, _ in whole if not isinstance(item, SecretRow)]
    for at in range(0, len(whole), 5):
        rest = [one for one in world.items(ticket, token=whole[at][1]) if not isinstance(one, SecretRow)]
        before = [item for item, _ in whole[: at + 1] if not isinstance(item, SecretRow)]
        assert before + rest == bare


def test_a_batch_has_one_row_for_each_bucket_that_it_touches(world: StoreWorld) -> None:
    _fill(world, 1)
    with world.database.reading() as connection:
        shelf = scope_rows.find_epochs(connection, [world.custody.epochs[0].id])[0].shelf
        tags = connection.exec_driver_sql("SELECT DISTINCT tag FROM rosters").scalars().all()
    assert world.count("parts") == len({shelf.bucket(tag) for tag in tags})
    assert world.count("segments") == len(ROOMS)


def test_retention_drops_a_partition_whole(world: StoreWorld) -> None:
    _fill(world)
    _pass_days(world, 3)
    assert world.count("segments") == 16
    _pass_days(world, 1)
    assert {one.name: world.count(one.name) for one in PARTITIONED} == dict.fromkeys(
        (one.name for one in PARTITIONED), 0
    )
    with world.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT partition, leaving, dropped FROM epochs ORDER BY number")
        assert tuple(rows.all()[0]) == (None, None, 1)


def test_an_order_keeps_exactly_its_scope_and_its_proof_and_ends(world: StoreWorld) -> None:
    _fill(world)
    window = {"start": NOW_MS - 8_000, "end": NOW_MS - 6_000}
    order = world.custody.ticket(
        ("account", "acct-00002"), purpose="preserve", order_ends=NOW_MS + 8 * DAY_MS, **window
    )
    preserved = world.messages(order)
    assert len(preserved) == 10
    _pass_days(world, 5)
    items = world.items(world.custody.ticket(SUBJECT))
    assert world.opened(items) == preserved
    (account,) = [one for one in items if isinstance(one, ConversationItem)]
    assert len(account.headers) == 4
    assert (world.count("parts"), world.count("batches"), world.count("rosters")) == (2, 2, 1)
    _pass_days(world, 4)
    assert world.items(world.custody.ticket(SUBJECT)) == []
    assert (world.count("parts"), world.count("rosters"), world.count("preserved")) == (0, 0, 0)


def test_the_status_says_what_lies_where_until_when(world: StoreWorld) -> None:
    _fill(world)
    ends = NOW_MS + 8 * DAY_MS
    world.items(world.custody.ticket(SUBJECT, purpose="preserve", end=NOW_MS - 7_000, order_ends=ends))
    first, following = _status(world)
    assert (first.state, first.batches, first.messages, first.orders) == ("open", 4, 80, 1)
    assert (first.preserved_until, first.drop_from) == (ends, first.not_after + 3 * DAY_MS)
    assert (following.state, following.batches, following.stored_bytes) == ("open", 0, 0)
    whole = first.stored_bytes
    states = []
    for days in (1, 4, 5):
        _pass_days(world, days)
        first = _status(world)[0]
        states.append((first.state, first.messages, first.batches, first.preserved_until))
        assert first.stored_bytes == whole or 0 <= first.stored_bytes < whole
    assert states == [("closed", 80, 4, ends), ("preserved", None, 2, ends), ("dropped", None, 0, None)]


def _status(world: StoreWorld) -> list[EpochStatus]:
    with world.database.reading() as connection:
        return status_rows.epochs(connection)


def test_a_stream_does_not_go_on_where_its_rows_have_moved(world: StoreWorld) -> None:
    _fill(world)
    world.items(world.custody.ticket(SUBJECT, purpose="preserve", end=NOW_MS - 6_000))
    ticket = world.custody.ticket(SUBJECT, expires=NOW_MS + 30 * DAY_MS)
    _, token = list(world.store.read(ticket, Pass.SEGMENTS, ""))[3]
    _pass_days(world, 5)
    with pytest.raises(RefusedError, match="EPOCH_DROPPED"):
        world.items(ticket, token=token)


def test_two_processes_store_into_the_same_conversations_each_under_its_chain(world: StoreWorld) -> None:
    other = world.another()
    world.put(*ROOMS)
    stores = [world.store, other]
    sent: dict[int, list[str]] = {}
    failed: list[BaseException] = []

    def store(which: int) -> None:
        sent[which] = []
        try:
            for number in range(12):
                chatter = people.chatter(NOW_MS - 9_000 + number, [1], 2, which * 100 + number)
                batch = people.batch(*(people.part(room, chatter) for room in ROOMS))
                stores[which].append(f"{PRODUCER}-{which}", batch)
                sent[which] += _texts(chatter)
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=store, args=(which,)) for which in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    read = _texts(world.messages(world.custody.ticket(("account", "acct-00002"))))
    assert sorted(read) == sorted(sent[0] + sent[1])
    for which in range(2):
        assert [one for one in read if one in set(sent[which])] == sent[which]
    with world.database.reading() as connection:
        chains = connection.exec_driver_sql("SELECT count(DISTINCT writer) FROM write_secrets").scalar_one()
    assert chains == 2


def test_two_processes_end_and_close_an_epoch_once(world: StoreWorld) -> None:
    other = world.another()
    _fill(world)
    other.append(PRODUCER, people.batch(people.part(ROOMS[0], people.chatter(NOW_MS, [1], 3))))
    world.clock.advance(DAY_MS + 60_000)
    threads = [threading.Thread(target=store.keep_house) for store in (world.store, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in (world.store, other):
        store.keep_house()
        with pytest.raises(RefusedError, match="STORE_EPOCH"):
            store._keep_secret(store.epochs.ended()[0], None)  # type: ignore[arg-type] # nothing is kept
    assert sum(b"epoch-closed" in leaf for leaf in world.audit.leaves) == 1
    with world.database.reading() as connection:
        assert (
            connection.exec_driver_sql("SELECT count(*) FROM epochs WHERE envelope IS NOT NULL").scalar_one()
            == 1
        )
    assert len(world.messages(world.custody.ticket(SUBJECT))) == 83


def test_the_same_batch_at_two_processes_is_stored_once(world: StoreWorld) -> None:
    stores = [world.store, world.another()]
    world.put(*ROOMS)
    _append_calmly(stores[1], people.batch(people.part(ROOMS[0], people.chatter(NOW_MS, [1], 1))))
    batch = people.batch(*(people.part(room, people.chatter(NOW_MS, [1], 3)) for room in ROOMS))
    answers: list[object] = []
    threads = [
        threading.Thread(target=lambda store=store: answers.append(_append_calmly(store, batch)))
        for store in stores * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert len(set(answers)) == 1
    assert world.count("batches") == 2


def _append_calmly(store: MessageStore, batch: pb.AppendMessagesRequest) -> object:
    """Append as a back end does that obeys the store."""
    while True:
        try:
            return store.append(PRODUCER, batch)
        except RefusedError as refusal:
            if refusal.reason != "STORE_BUSY":
                raise
            time.sleep(0.05)


FORBIDDEN = (
    "CREATE TABLE mine (one integer)",
    "DROP TABLE segments",
    "DROP TABLE segments_1",
    "ALTER TABLE segments DETACH PARTITION segments_1",
    "TRUNCATE segments",
    "DELETE FROM segments",
    "DELETE FROM segments_1",
    "DELETE FROM parts",
    "DELETE FROM batches",
    "DELETE FROM rosters",
    "DELETE FROM write_secrets",
    "DELETE FROM epochs",
    "DELETE FROM preserved",
    "UPDATE parts SET data = ''",
    "UPDATE segments SET place = 1",
    "UPDATE epochs SET not_after = 0",
    "UPDATE epochs SET retention = 0",
    "SELECT make_partition(77)",
    "SELECT unmake_partition(1)",
    "SELECT drop_partition(1)",
    "UPDATE epochs SET partition = NULL",
    "UPDATE epochs SET dropped = 1",
    "INSERT INTO spread.orders VALUES (1, false)",
)


def test_the_running_service_can_neither_change_tables_nor_delete(on_server: StoreWorld) -> None:
    _fill(on_server, 1)
    allowed = []
    for statement in FORBIDDEN:
        try:
            with on_server.database.writing() as connection:
                connection.exec_driver_sql(statement)
        except RefusedError as refusal:
            assert refusal.reason == "DATABASE_READ_ONLY", statement  # noqa: PT017 - each of many
        else:
            allowed.append(statement)
    assert not allowed
    assert on_server.count("segments") == len(ROOMS)


def test_an_epoch_within_its_retention_leaves_its_partition_by_no_way(on_server: StoreWorld) -> None:
    """The server judges by its own clock, whatever the service believes."""
    _fill(on_server, 1)
    far = 4_000_000_000_000
    with on_server.database.writing() as connection:
        shelf = partition_rows.open_one(connection)
        connection.execute(
            sa.text(
                "INSERT INTO epochs (epoch, not_before, not_after, retention, partition, ended, envelope)"
                " VALUES ('far', 0, :end, 1000, :partition, 1, '{}')"
            ),
            {"end": far, "partition": shelf},
        )
    for change in ("partition = NULL", "dropped = 1", "partition = 999"):
        with (
            pytest.raises(RefusedError, match="DATABASE_READ_ONLY"),
            on_server.database.writing() as connection,
        ):
            connection.execute(sa.text(f"UPDATE epochs SET {change} WHERE epoch = 'far'"))  # noqa: S608 - our own
    with pytest.raises(RefusedError, match="DATABASE_READ_ONLY"), on_server.database.writing() as connection:
        partition_rows.drop(connection, shelf)


def test_an_order_that_runs_is_not_forgotten(on_server: StoreWorld) -> None:
    with on_server.database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO preserved VALUES ('d', 1, 0, 1, 4000000000000, 0, 1, 1)")
        connection.execute(sa.select(sa.func.forget_orders(1, 5_000_000_000_000)))
    assert on_server.count("preserved") == 1


def test_a_batch_that_commits_late_is_not_in_one_part_of_a_stream_only(
    on_server: StoreWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two transactions take their numbers in one order and commit in the other; nobody reads in between."""
    world = on_server
    other = world.another()
    world.put(*ROOMS)
    numbered, go_on = threading.Event(), threading.Event()
    original = partition_rows.next_number

    def slow(connection: sa.Connection, table: sa.Table, *given: object) -> int:
        number = original(connection, table, *given)  # type: ignore[arg-type] # passed on
        if threading.current_thread().name == "late":
            numbered.set()
            go_on.wait(10)
        return number

    monkeypatch.setattr(partition_rows, "next_number", slow)
    late = threading.Thread(
        target=lambda: other.append(
            PRODUCER, people.batch(people.part(ROOMS[0], people.chatter(NOW_MS - 9, [1], 1, 1)))
        ),
        name="late",
    )
    late.start()
    assert numbered.wait(10)
    world.append(people.batch(people.part(ROOMS[0], people.chatter(NOW_MS - 9, [1], 1, 2))))
    ticket = world.custody.ticket(SUBJECT)
    began = threading.Event()
    read: list[tuple[Item, str]] = []

    def stream() -> None:
        items = world.store.read(ticket, Pass.SEGMENTS, "")
        began.set()
        read.extend(items)

    reader = threading.Thread(target=stream)
    reader.start()
    if began.wait(2):
        reader.join()
    go_on.set()
    late.join()
    reader.join()
    again = world.items(ticket, token=read[0][1])
    assert [one for one in again if isinstance(one, SegmentItem)] == [
        one for one, _ in read if isinstance(one, SegmentItem)
    ]
    assert len(world.messages(world.custody.ticket(SUBJECT))) == 2


def test_the_owners_functions_are_the_only_way_around(on_server: StoreWorld) -> None:
    with on_server.database.reading() as connection:
        definers = connection.exec_driver_sql(
            "SELECT proname, 'search_path=public, pg_temp' = ANY(proconfig) FROM pg_proc"
            " WHERE prosecdef AND pronamespace = 'public'::regnamespace ORDER BY 1"
        )
        assert [tuple(row) for row in definers] == [
            ("drop_partition", True),
            ("forget_orders", True),
            ("next_number", True),
            ("open_partition", True),
        ]
    with pytest.raises(RefusedError, match="DATABASE_READ_ONLY"), on_server.database.writing() as connection:
        connection.exec_driver_sql("SELECT * FROM spread.shards")
