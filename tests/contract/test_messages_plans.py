"""What reading and forecasting costs does not grow with what else is stored: nothing is read end to end."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from garim.messages import index_rows, ingest_rows, scope_rows
from garim.messages.epochs import Shelf
from garim.messages.index_rows import Roster, Window
from messages_support.store import NOW_MS, StoreWorld

LARGE = ("segments", "parts", "rosters", "member_tags", "conversations", "batches", "write_secrets")
MEMBER = bytes(31) + b"\x07"


@pytest.fixture
def world(engine: str, tmp_path: Path) -> Iterator[StoreWorld]:
    made = StoreWorld(tmp_path, more="buckets = 3")
    yield made
    made.close()


def _filled(world: StoreWorld, conversations: int = 400, batches: int = 400) -> tuple[Shelf, Roster]:
    """Put rows into an epoch as storing does, with made-up bytes, and return where, and one roster."""
    shelf = world.store.epochs.current().shelf
    with world.database.writing() as connection:
        known = []
        for number in range(conversations):
            tag = secrets.token_bytes(32)
            row = ingest_rows.RosterRow(
                tag, secrets.token_bytes(32), bytes(32), bytes(400), (MEMBER[:31] + bytes([number % 200]),)
            )
            ingest_rows.add_rosters(connection, shelf, [row])
            found = ingest_rows.find_rosters(connection, shelf, {row.asking: tag})[row.asking]
            known.append((tag, found))
        for number in range(batches):
            segments = [
                ingest_rows.SealedSegment(
                    one, secrets.token_bytes(16), NOW_MS + number, NOW_MS + number, 1, 1, bytes(60)
                )
                for _, one in known[number % 20 :: 20]
            ]
            batch = ingest_rows.NewBatch(
                "producer", number.to_bytes(16, "big"), bytes(32), NOW_MS, bytes(32), segments, 1
            )
            ingest_rows.add_batch(connection, shelf, batch)
    tag, one = known[7]
    return shelf, Roster(tag, one.bucket, one.number, one.digest)


def _look_up(connection: sa.Connection, shelf: Shelf, roster: Roster) -> None:
    """Do all that reading and forecasting look up."""
    window = Window(NOW_MS, NOW_MS + 1_000, NOW_MS)
    assert scope_rows.matched_rosters(connection, shelf, [MEMBER])
    rows, _ = index_rows.index_page(connection, shelf, roster, window, (0, 0))
    assert rows
    assert all(index_rows.slices(connection, shelf, rows))
    assert index_rows.count_roster(connection, shelf, roster, window, index_rows.WHOLE).messages == len(rows)
    scope_rows.roster_record(connection, shelf, roster)
    scope_rows.rosters_of(connection, shelf, roster.tag)
    scope_rows.write_secret(connection, shelf, bytes(32))
    scope_rows.conversation(connection, shelf, roster.tag)
    scope_rows.horizon(connection)
    ingest_rows.find_batch(connection, "producer", bytes(16))
    ingest_rows.find_rosters(connection, shelf, {bytes(32): roster.tag})
    ingest_rows.are_members(
        connection, shelf, [(MEMBER, ingest_rows.KnownRoster(roster.bucket, roster.number, bytes(32)))]
    )


def test_no_large_table_is_read_from_end_to_end(world: StoreWorld, engine: str) -> None:
    shelf, roster = _filled(world)
    asked: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, statement: str, given: object, *_: object) -> None:
        if statement.lstrip().startswith("SELECT"):
            asked.append((statement, given))

    engines = world.database._engines
    sa.event.listen(engines.reader, "before_cursor_execute", note)
    with world.database.reading() as connection:
        _look_up(connection, shelf, roster)
    sa.event.remove(engines.reader, "before_cursor_execute", note)
    assert len(asked) > 10
    explain = "EXPLAIN QUERY PLAN " if engine == "sqlite" else "EXPLAIN "
    scans = []
    with world.database.reading() as connection:
        for statement, given in asked:
            plan = connection.exec_driver_sql(explain + statement, given).all()  # type: ignore[call-overload] # as it came
            lines = [str(row[-1]) for row in plan]
            scans += [(line, statement) for line in lines if _reads_whole(line, engine)]
    assert not scans


def _reads_whole(line: str, engine: str) -> bool:
    if engine == "postgres":
        return any(f"Seq Scan on {name}_" in line for name in LARGE)
    aliases = {"s": "segments", "b": "batches", "p": "parts", "r": "rosters", "m": "member_tags"}
    words = line.split()
    return words[0] == "SCAN" and (words[1] in LARGE or words[1] in aliases)


@pytest.mark.parametrize("times", [10])
def test_ten_times_the_rows_of_others_are_no_more_work(world: StoreWorld, engine: str, times: int) -> None:
    """Counted where the engine tells: pages of the server's buffers."""
    if engine == "sqlite":
        pytest.skip("tells no pages read")
    shelf, roster = _filled(world, 100, 100)
    before = _buffers(world, shelf, roster)
    with world.database.writing() as connection:
        others = [
            ingest_rows.KnownRoster(roster.bucket, 1_000_000 + number, bytes(32)) for number in range(1_000)
        ]
        for number in range(27 * times // 10):
            segments = [
                ingest_rows.SealedSegment(one, secrets.token_bytes(16), NOW_MS, NOW_MS, 1, 1, bytes(60))
                for one in others
            ]
            name = (1_000 + number).to_bytes(16, "big")
            ingest_rows.add_batch(
                connection,
                shelf,
                ingest_rows.NewBatch("producer", name, bytes(32), NOW_MS, bytes(32), segments, 1),
            )
    assert _buffers(world, shelf, roster) <= before * 1.3


def _buffers(world: StoreWorld, shelf: Shelf, roster: Roster) -> int:
    statement = (
        "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT batch, place, size FROM segments"
        " WHERE partition = :partition AND bucket = :bucket AND roster = :roster ORDER BY batch, place"
    )
    place = {"partition": shelf.partition, "bucket": roster.bucket, "roster": roster.number}
    with world.database.reading() as connection:
        plan = connection.execute(sa.text(statement), place).scalar_one()[0]["Plan"]
        return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
