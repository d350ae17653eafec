"""One store's tables over three PostgreSQL servers by postgres_fdw, as deploy/README.md sets them up.

Needs an installed PostgreSQL with postgres_fdw, which the wheel has not; skipped where there is none.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from garim.kit.db import Server
from garim.messages.reader import ConversationItem, SegmentItem
from kit_support import engines
from kit_support.postgres import OWNER, RUNTIME, Postgres, own_server
from messages_support import people
from messages_support.store import NOW_MS, StoreWorld

SERVERS = 3
BUCKETS = 12
DAY_MS = 86_400_000
SUBJECT = ("account", "acct-00001")
ROOMS = [people.room(f"방-{number}", [1, number]) for number in range(2, 14)]
SET_UP = """
CREATE SERVER shard{number} FOREIGN DATA WRAPPER postgres_fdw
    OPTIONS (host '{host}', port '5432', dbname '{database}', batch_size '1000', fetch_size '1000');
CREATE USER MAPPING FOR {owner} SERVER shard{number} OPTIONS (user '{owner}', password_required 'false');
CREATE USER MAPPING FOR {runtime} SERVER shard{number} OPTIONS (user '{runtime}', password_required 'false');
GRANT USAGE ON FOREIGN SERVER shard{number} TO {owner};
CREATE FOREIGN TABLE spread.orders_{number} (partition integer, opened boolean) SERVER shard{number}
    OPTIONS (schema_name 'spread', table_name 'orders');
ALTER FOREIGN TABLE spread.orders_{number} OWNER TO {owner};
INSERT INTO spread.shards VALUES ({number}, 'shard{number}');
"""


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/lib/postgres_fdw.so"))
    return found[-1].parents[1] / "bin" if found else None


@pytest.fixture(scope="module")
def servers() -> Iterator[list[Postgres]]:
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL with postgres_fdw is installed")
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(own_server(programs)) for _ in range(SERVERS)]


@pytest.fixture
def world(servers: list[Postgres], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoreWorld]:
    first = servers[0]
    spread = [one.service("messages").address for one in servers]
    main = first.service("messages").address
    with first.admin(main.database) as connection:
        connection.execute("CREATE EXTENSION postgres_fdw")
        for number, (server, shard) in enumerate(zip(servers, spread, strict=True)):
            connection.execute(
                SET_UP.format(  # type: ignore[arg-type] # made of our own names
                    number=number, host=server.folder, database=shard.database, owner=OWNER, runtime=RUNTIME
                )
            )
    monkeypatch.setattr(engines, "place_of", lambda path, service: Server(main))
    made = StoreWorld(tmp_path, more=f"buckets = {BUCKETS}")
    made.spread = list(zip(servers, spread, strict=True))  # type: ignore[attr-defined] # of this test
    yield made
    made.close()


def _counts(world: StoreWorld, table: str) -> list[int]:
    found = []
    for server, address in world.spread:  # type: ignore[attr-defined] # of this test
        with server.admin(address.database) as connection:
            row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - a name of our own
            found.append(row[0])
    return found


def _has_first_partition(world: StoreWorld) -> list[bool]:
    found = []
    for server, address in world.spread:  # type: ignore[attr-defined] # of this test
        with server.admin(address.database) as connection:
            row = connection.execute("SELECT to_regclass('segments_1') IS NOT NULL").fetchone()
            found.append(row[0])
    return found


def test_a_store_over_three_servers_keeps_its_promises(world: StoreWorld) -> None:
    world.put(*ROOMS)
    for number in range(4):
        now = NOW_MS - 9_000 + number * 1_000
        parts = [people.part(room, people.chatter(now, [1], 5, number)) for room in ROOMS]
        batch = people.batch(*parts)
        assert world.append(batch) == world.append(batch)
    assert sum(_counts(world, "segments")) == 4 * len(ROOMS)
    assert sum(one > 0 for one in _counts(world, "segments")) >= 2
    assert world.count("batches") == 4
    assert _counts(world, "batches") == [0, 0, 0]
    ticket = world.custody.ticket(SUBJECT)
    assert len(world.messages(ticket)) == 4 * 5 * len(ROOMS)
    world.items(world.custody.ticket(("account", "acct-00003"), purpose="preserve", end=NOW_MS - 6_000))

    world.clock.advance(DAY_MS)
    world.store.keep_house()
    world.clock.advance(70_000)
    world.store.keep_house()
    items = world.items(world.custody.ticket(SUBJECT))
    accounts = [one for one in items if isinstance(one, ConversationItem)]
    segments = [one.header for one in items if isinstance(one, SegmentItem)]
    assert [header for one in accounts for header in one.headers] == segments
    assert len(segments) == 4 * len(ROOMS)

    assert _has_first_partition(world) == [True] * SERVERS
    for _ in range(4):
        world.clock.advance(DAY_MS)
        world.store.keep_house()
    world.clock.advance(600_000)
    world.store.keep_house()
    assert len(world.messages(world.custody.ticket(SUBJECT))) == 20 - 5
    assert sum(_counts(world, "segments")) == 3
    assert _has_first_partition(world) == [False] * SERVERS
