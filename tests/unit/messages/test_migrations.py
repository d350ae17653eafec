"""What 0.1.0 stored is read by this version as by 0.1.0, and by 0.1.0's tables again."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from garim.api.messages.v1 import messages_pb2 as pb
from garim.kit import migrations
from garim.messages.reader import ConversationItem, SegmentItem
from garim.sealing.secret import Secret
from garim.sealing.segment import SegmentHeader
from messages_support import people
from messages_support.custody import MadeEpoch
from messages_support.store import MIGRATIONS, NOW_MS, StoreWorld

pytestmark = pytest.mark.sqlite

DATA = Path(__file__).parents[2] / "messages_support" / "data"
ROOM = people.room("방-1", [1, 2])


class Former:
    """What 0.1.0 wrote: three epochs with messages, of the first only what an order preserves."""

    def __init__(self) -> None:
        self.dump = (DATA / "store-0.1.0.sql").read_text(encoding="utf-8")
        described = json.loads((DATA / "store-0.1.0.json").read_text(encoding="utf-8"))
        self.now_ms = int(described["now_ms"])
        self.epochs = [
            MadeEpoch(
                bytes.fromhex(one["id"]),
                one["not_before"],
                one["not_after"],
                Secret(bytearray.fromhex(one["private"])),
                bytes.fromhex(one["public"]),
                bytes.fromhex(one["index_key"]),
            )
            for one in described["epochs"]
        ]
        self.messages = {
            account: [(at, sender, text, bytes.fromhex(opaque)) for at, sender, text, opaque in read]
            for account, read in described["messages"].items()
        }


@pytest.fixture
def former() -> Former:
    return Former()


@pytest.fixture
def carried(world: StoreWorld, former: Former) -> StoreWorld:
    """A store on a database that 0.1.0 left."""
    world.database.close()
    for path in world.folder.glob("messages.db*"):
        path.unlink()
    connection = sqlite3.connect(world.path)
    connection.executescript(former.dump)
    connection.close()
    world.path.chmod(0o600)
    world.custody.epochs = former.epochs
    world.clock.advance(former.now_ms - NOW_MS)
    world.database = world._open()
    world.start()
    return world


def _read(world: StoreWorld, account: str) -> list[tuple[int, str, str, bytes]]:
    messages: list[pb.ChatMessage] = world.messages(world.custody.ticket(("account", account)))
    return [(one.sent_at_ms, one.sender, one.text, one.opaque) for one in messages]


def _dump(world: StoreWorld) -> list[str]:
    connection = sqlite3.connect(world.path)
    lines = list(connection.iterdump())
    connection.close()
    return lines


def test_what_the_former_version_stored_is_read(carried: StoreWorld, former: Former) -> None:
    assert {account: _read(carried, account) for account in former.messages} == former.messages


def test_its_segments_lead_to_what_was_logged(carried: StoreWorld) -> None:
    items = carried.items(carried.custody.ticket(("account", "acct-00001")))
    accounts = [one for one in items if isinstance(one, ConversationItem)]
    assert [len(one.headers) for one in accounts] == [4, 6]
    named = {header for one in accounts for header in one.headers}
    served = [one.header for one in items if isinstance(one, SegmentItem)]
    assert [len(named & set(served)), len(served)] == [8, 10]
    assert all(SegmentHeader.decode(header).encode() == header for header in named)


def test_what_it_preserves_ends_with_its_order(carried: StoreWorld) -> None:
    for _ in range(70):
        carried.clock.advance(86_400_000)
        carried.store.keep_house()
    assert _read(carried, "acct-00001") == []
    assert (carried.count("preserved"), carried.count("segments"), carried.count("parts")) == (0, 0, 0)


def test_the_store_goes_on_where_the_former_version_stopped(carried: StoreWorld, former: Former) -> None:
    carried.put(ROOM)
    carried.append(people.batch(people.part(ROOM, people.chatter(former.now_ms - 9, [1], 3))))
    assert len(_read(carried, "acct-00001")) == len(former.messages["acct-00001"]) + 3


def test_down_and_up_again_loses_nothing(carried: StoreWorld, former: Former) -> None:
    carried.put(ROOM)
    carried.append(people.batch(people.part(ROOM, people.chatter(former.now_ms - 9, [1], 3))))
    before = {account: _read(carried, account) for account in former.messages}
    migrations.downgrade(carried.database, MIGRATIONS, "0001")
    migrations.upgrade(carried.database, MIGRATIONS)
    assert {account: _read(carried, account) for account in former.messages} == before
    once = _dump(carried)
    migrations.downgrade(carried.database, MIGRATIONS, "0001")
    migrations.upgrade(carried.database, MIGRATIONS)
    assert _dump(carried) == once


def test_down_restores_the_former_tables_byte_by_byte(world: StoreWorld, former: Former) -> None:
    carried = world.folder / "former.db"
    connection = sqlite3.connect(carried)
    connection.executescript(former.dump)
    before = _values(connection)
    connection.close()
    carried.chmod(0o600)
    database = type(world.database)(carried)
    migrations.upgrade(database, MIGRATIONS)
    migrations.downgrade(database, MIGRATIONS, "0001")
    database.close()
    connection = sqlite3.connect(carried)
    assert _values(connection) == before
    connection.close()


def _values(connection: sqlite3.Connection) -> dict[str, list[bytes]]:
    """Return what counts of a former database, whatever its rows' numbers are."""
    queries = {
        "headers": "SELECT substr(b.data, s.place + 1, s.size) FROM segments s JOIN batches b"
        " ON b.number = s.batch ORDER BY 1",
        "batches": "SELECT data FROM batches ORDER BY number",
        "rosters": "SELECT record FROM rosters r JOIN conversations c ON c.number = r.conversation"
        " ORDER BY 1",
        "secrets": "SELECT sealed FROM write_secrets ORDER BY number",
        "nodes": "SELECT hash FROM account_nodes ORDER BY epoch, level, position",
        "accounts": "SELECT account FROM conversations WHERE account IS NOT NULL ORDER BY 1",
        "kept": "SELECT headers FROM conversations WHERE headers IS NOT NULL ORDER BY 1",
        "preserved": "SELECT document FROM preserved",
        "members": "SELECT tag FROM member_tags ORDER BY epoch, tag",
    }
    return {name: [row[0] for row in connection.execute(query)] for name, query in queries.items()}


def test_the_database_is_its_owners_alone(world: StoreWorld) -> None:
    assert world.path.stat().st_mode & 0o077 == 0
