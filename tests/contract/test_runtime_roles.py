"""On PostgreSQL a service's role can do what its code does, and nothing else: no DDL, no other change."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
import sqlalchemy as sa

from garim.kit.db import Database, Server
from garim.kit.migrations import prepare
from garim.statements.refusal import RefusedError
from kit_support.postgres import OWNER, RUNTIME, Postgres

ROOT = Path(__file__).parents[2]
SERVICES = ("audit", "custody", "messages", "redaction", "warrants")
# Rows that bind for ever: nobody who runs the service takes one back.
FOR_GOOD = {
    "audit": {"log_leaves", "log_nodes", "own_entries"},
    "custody": {
        "documents_used",
        "governance_versions",
        "ledger_forks",
        "recovery_keys",
        "stopped_documents",
        "unmask_decisions",
        "unmask_identities",
    },
    "warrants": {"case_events", "case_settlements", "decisions", "refused_documents", "revocations"},
}
DDL = (
    "CREATE TABLE more (id integer)",
    "CREATE TEMPORARY TABLE more (id integer)",
    "CREATE SCHEMA more",
    "ALTER TABLE {table} ADD COLUMN more integer",
    "DROP TABLE {table}",
    "TRUNCATE {table}",
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "CREATE INDEX more ON {table} ((1))",
    "UPDATE alembic_version SET version_num = 'x'",
    "SET ROLE " + OWNER,
)


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def place(service: str, postgres: Postgres) -> Iterator[Server]:
    made = postgres.service(service)
    yield made
    postgres.drop(made.address.database)


def rights_of(service: str) -> dict[str, dict[str, set[str]]]:
    """Return by table what is granted, and on which columns; none named: on all."""
    rights: dict[str, str] = importlib.import_module(f"garim.{service}.rights").RIGHTS
    return {
        table: {
            word.upper(): set(filter(None, columns.split(", ")))
            for word, columns in re.findall(r"([a-z]+)(?: \(([a-z_, ]+)\))?", words)
        }
        for table, words in rights.items()
    }


def test_every_table_is_named_and_has_exactly_these_rights(
    service: str, place: Server, postgres: Postgres
) -> None:
    rights = rights_of(service) | {"alembic_version": {"SELECT": set[str]()}}
    with postgres.admin(place.address.database) as admin:
        columns = admin.execute(
            "SELECT table_name::text, column_name::text FROM information_schema.columns"
            " WHERE table_schema = 'public' AND (table_name::text) IN (SELECT relname FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition)"
        ).fetchall()
        assert {table for table, _ in columns} == rights.keys()
        for table, column in columns:
            for word in ("SELECT", "INSERT", "UPDATE"):
                wanted = word in rights[table] and (not rights[table][word] or column in rights[table][word])
                query = "SELECT has_column_privilege(%s, %s, %s, %s)"
                held = admin.execute(query, (RUNTIME, table, column, word)).fetchone()
                assert held == (wanted,), (table, column, word)
        for table in rights:
            for word in ("DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"):
                held = admin.execute(
                    "SELECT has_table_privilege(%s, %s, %s)", (RUNTIME, table, word)
                ).fetchone()
                assert held == (word in rights[table],), (table, word)


def test_the_role_of_a_service_has_no_ddl(service: str, place: Server, postgres: Postgres) -> None:
    table = min(rights_of(service))
    with postgres.admin(place.address.database, RUNTIME) as runtime:
        for statement in DDL:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                runtime.execute(statement.format(table=table))


def test_what_a_service_does_not_do_is_refused_to_it(service: str, place: Server) -> None:
    database = Database(place)
    for table, rights in rights_of(service).items():
        with database.reading() as connection:
            columns = [one["name"] for one in sa.inspect(connection).get_columns(table)]
        changed = (rights["UPDATE"] or set(columns)) if "UPDATE" in rights else set()
        quoted = sa.table(table, *map(sa.column, columns))
        statements: list[sa.Executable] = [
            sa.update(quoted).values({one: quoted.c[one]}) for one in columns if one not in changed
        ]
        if "DELETE" not in rights:
            statements.append(sa.delete(quoted))
        for statement in statements:
            with pytest.raises(RefusedError, match="DATABASE_READ_ONLY"):
                run(database, statement)
    database.close()


@pytest.mark.parametrize(("service", "tables"), FOR_GOOD.items())
def test_what_is_decided_for_good_has_no_way_back(service: str, tables: set[str]) -> None:
    rights = rights_of(service)
    for table in tables:
        assert rights[table].keys() == {"SELECT", "INSERT"}, table


def test_not_even_the_owner_changes_the_log(postgres: Postgres) -> None:
    place = postgres.service("audit")
    with postgres.admin(place.address.database, OWNER) as owner:
        owner.execute("INSERT INTO log_nodes (place, hash) VALUES (0, 'x')")
        for statement in ("UPDATE log_nodes SET hash = 'y'", "DELETE FROM log_nodes", "TRUNCATE log_nodes"):
            with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
                owner.execute(statement)
    postgres.drop(place.address.database)


@pytest.mark.parametrize("service", ["audit", "redaction"])
def test_a_service_makes_its_tables_when_its_owner_asks(
    service: str, postgres: Postgres, tmp_path: Path
) -> None:
    name = postgres.create()
    socket = quote(str(postgres.folder), safe="")
    settings = tmp_path / "owner.toml"
    settings.write_text(
        f'runtime_role = "{RUNTIME}"\n[database]\nurl = "postgresql://{OWNER}@{socket}/{name}"\n'
    )
    command = [sys.executable, "-m", f"garim.{service}", "--migrate", str(settings)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT / "services")
    assert (done.returncode, done.stderr) == (0, "")
    database = Database(postgres.server(name, RUNTIME))
    rights = importlib.import_module(f"garim.{service}.rights").RIGHTS
    prepare(database, ROOT / "services" / "garim" / service / "migrations", rights)
    database.close()
    with (
        postgres.admin(name, RUNTIME) as runtime,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        runtime.execute("CREATE TEMPORARY TABLE more (id integer)")
    with postgres.admin(name, "postgres") as admin:
        admin.execute("CREATE ROLE somebody LOGIN")
    try:
        with (
            pytest.raises(psycopg.OperationalError, match="permission denied"),
            postgres.admin(name, "somebody"),
        ):
            pass
    finally:
        with postgres.admin() as admin:
            admin.execute("DROP ROLE somebody")
    postgres.drop(name)


def run(database: Database, statement: sa.Executable) -> None:
    with database.writing() as connection:
        connection.execute(statement)
