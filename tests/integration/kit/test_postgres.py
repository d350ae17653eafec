"""What only a real PostgreSQL server can show: its refusals, its restarts, its roles."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
import sqlalchemy as sa

from garim.kit.db import Database
from garim.kit.migrations import downgrade, prepare
from garim.redaction.rights import RIGHTS
from garim.redaction.tables import lifts
from garim.statements.refusal import Kind, RefusedError
from garim.warrants import rights as warrants
from kit_support.postgres import OWNER, RUNTIME, Postgres, own_server

MIGRATIONS = Path(str(resources.files("garim.redaction"))) / "migrations"


@pytest.fixture(scope="module")
def own() -> Iterator[Postgres]:
    """A server that these tests may stop and break."""
    with own_server() as server:
        yield server


@pytest.fixture
def database(own: Postgres) -> Iterator[Database]:
    made = Database(own.service("redaction"), busy_timeout_ms=1_000)
    yield made
    made.close()


def add(connection: sa.Connection, person: str) -> None:
    values = {"case_id": b"case", "subject": "s", "person": person, "decision": b"{}", "holds": b"[]"}
    connection.execute(sa.insert(lifts).values(values))


def people(database: Database) -> list[str]:
    with database.reading() as connection:
        return list(connection.execute(sa.select(lifts.c.person).order_by(lifts.c.person)).scalars())


def test_a_connection_killed_in_a_transaction_is_unavailable_and_leaves_nothing_half_done(
    own: Postgres, database: Database
) -> None:
    def write() -> None:
        with database.writing() as connection:
            add(connection, "bo-ra")
            kill()
            add(connection, "ma-ru")

    def kill() -> None:
        with own.admin() as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (RUNTIME,)
            )

    with pytest.raises(RefusedError) as caught:
        write()
    assert (caught.value.reason, caught.value.kind) == ("DATABASE_UNREACHABLE", Kind.UNAVAILABLE)
    assert people(database) == []
    with database.writing() as connection:
        add(connection, "bo-ra")
    database.check()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_server_that_restarts_is_unavailable_meanwhile_and_then_served_again(
    own: Postgres, database: Database, mode: str
) -> None:
    with database.writing() as connection:
        add(connection, "bo-ra")
    own.stop(mode)
    try:
        for use in (database.check, lambda: people(database)):
            with pytest.raises(RefusedError) as caught:
                use()
            assert (caught.value.reason, caught.value.kind) == ("DATABASE_UNREACHABLE", Kind.UNAVAILABLE)
    finally:
        own.start()
    assert people(database) == ["bo-ra"]
    with database.writing() as connection:
        add(connection, "ma-ru")
    database.check()


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
def test_a_server_that_may_lose_what_it_acknowledged_is_refused(own: Postgres, setting: str) -> None:
    place = own.service("redaction")
    with own.admin() as admin:
        admin.execute(f"ALTER SYSTEM SET {setting} = off")
        admin.execute("SELECT pg_reload_conf()")
    try:
        own.stop()
        own.start()
        with pytest.raises(RefusedError, match="DATABASE_NOT_DURABLE"):
            Database(place)
    finally:
        with own.admin() as admin:
            admin.execute(f"ALTER SYSTEM RESET {setting}")
            admin.execute("SELECT pg_reload_conf()")
        own.stop()
        own.start()


def test_a_role_that_is_set_to_lose_its_commits_is_refused(own: Postgres) -> None:
    place = own.service("redaction")
    with own.admin() as admin:
        admin.execute(f"ALTER ROLE {RUNTIME} SET synchronous_commit = off")
    try:
        with pytest.raises(RefusedError, match="DATABASE_NOT_DURABLE"):
            Database(place)
    finally:
        with own.admin() as admin:
            admin.execute(f"ALTER ROLE {RUNTIME} RESET synchronous_commit")


def test_turning_synchronous_commit_off_does_not_reach_open_connections(
    own: Postgres, database: Database
) -> None:
    with own.admin() as admin:
        admin.execute("ALTER SYSTEM SET synchronous_commit = off")
        admin.execute("SELECT pg_reload_conf()")
    try:
        with database.writing() as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
    finally:
        with own.admin() as admin:
            admin.execute("ALTER SYSTEM RESET synchronous_commit")
            admin.execute("SELECT pg_reload_conf()")


def test_a_database_that_is_not_there_is_unreachable(own: Postgres) -> None:
    with pytest.raises(RefusedError, match="DATABASE_UNREACHABLE"):
        Database(own.server("absent", RUNTIME))


def test_a_service_does_not_start_on_tables_of_another_version(own: Postgres) -> None:
    place = own.service("warrants")
    owned = Database(own.server(place.address.database, OWNER))
    migrations = Path(str(resources.files("garim.warrants"))) / "migrations"
    downgrade(owned, migrations, "0002")
    owned.close()
    running = Database(place)
    with pytest.raises(RefusedError, match="DATABASE_NOT_MIGRATED: the tables are of version 0002"):
        prepare(running, migrations, warrants.RIGHTS)
    running.close()


@pytest.mark.parametrize("role", ["postgres", OWNER])
def test_a_service_does_not_start_as_a_role_that_can_change_tables(own: Postgres, role: str) -> None:
    place = own.service("redaction")
    mighty = Database(own.server(place.address.database, role))
    with pytest.raises(RefusedError, match="DATABASE_ROLE"):
        prepare(mighty, MIGRATIONS, RIGHTS)
    mighty.close()


@pytest.mark.parametrize(
    "granted",
    [
        "GRANT DELETE ON lifts TO {role}",
        "GRANT TRUNCATE ON governance_versions TO {role}",
        "GRANT UPDATE ON ledger_intents TO {role}",
        "GRANT UPDATE (body) ON ledger_intents TO {role}",
        "GRANT DELETE ON alembic_version TO PUBLIC",
    ],
)
def test_a_service_does_not_start_with_a_right_that_it_never_uses(own: Postgres, granted: str) -> None:
    place = own.service("redaction")
    with own.admin(place.address.database) as admin:
        admin.execute(granted.format(role=RUNTIME))
    running = Database(place)
    with pytest.raises(RefusedError, match="DATABASE_ROLE: the role may "):
        prepare(running, MIGRATIONS, RIGHTS)
    running.close()


def test_the_environment_has_no_say(own: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    place = own.service("redaction")
    for name, value in {
        "PGHOSTADDR": "127.0.0.9",
        "PGUSER": "postgres",
        "PGDATABASE": "postgres",
        "PGPASSWORD": "x",
        "PGOPTIONS": "-c synchronous_commit=off",
        "PGSSLMODE": "disable",
    }.items():
        monkeypatch.setenv(name, value)
    database = Database(place)
    with database.writing() as connection:
        found = connection.exec_driver_sql(
            "SELECT session_user, current_database(), current_setting('synchronous_commit')"
        ).one()
    database.close()
    assert tuple(found) == (RUNTIME, place.address.database, "on")
