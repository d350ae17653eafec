from __future__ import annotations

from garim.kit import migrations
from messages_support import people
from messages_support.store import MIGRATIONS, NOW_MS, StoreWorld

ROOM = people.room("방-1", [1, 2])


def test_a_migration_with_data_in_the_tables_keeps_it(world: StoreWorld) -> None:
    world.put(ROOM)
    world.append(people.batch(people.part(ROOM, people.chatter(NOW_MS - 9, [1], 3))))
    migrations.upgrade(world.database, MIGRATIONS)
    assert len(world.messages(world.custody.ticket(("account", "acct-00001")))) == 3


def test_the_database_is_its_owners_alone(world: StoreWorld) -> None:
    assert world.path.stat().st_mode & 0o077 == 0
