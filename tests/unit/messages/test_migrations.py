from __future__ import annotations

import sqlalchemy as sa

from garim.kit import migrations
from garim.messages.tables import METADATA
from messages_support import people
from messages_support.store import MIGRATIONS, NOW_MS, StoreWorld

ROOM = people.room("방-1", [1, 2])


def _tables(world: StoreWorld) -> set[str]:
    with world.database.reading() as connection:
        return set(sa.inspect(connection).get_table_names())


def test_migrations_go_up_and_down_and_up_again(world: StoreWorld) -> None:
    assert set(METADATA.tables) <= _tables(world)
    migrations.downgrade(world.database, MIGRATIONS, "base")
    assert _tables(world) <= {"alembic_version", "sqlite_sequence"}
    migrations.upgrade(world.database, MIGRATIONS)
    assert set(METADATA.tables) <= _tables(world)


def test_a_migration_with_data_in_the_tables_keeps_it(world: StoreWorld) -> None:
    world.put(ROOM)
    world.append(people.batch(people.part(ROOM, people.chatter(NOW_MS - 9, [1], 3))))
    migrations.upgrade(world.database, MIGRATIONS)
    assert len(world.messages(world.custody.ticket(("account", "acct-00001")))) == 3


def test_the_database_is_its_owners_alone(world: StoreWorld) -> None:
    assert world.path.stat().st_mode & 0o077 == 0
