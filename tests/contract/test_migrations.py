"""Every service's migrations make exactly the tables that its code declares, and keep what is in them.

On both engines; on PostgreSQL as the owner of the database.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from garim.kit.db import Database
from garim.kit.migrations import downgrade, upgrade
from kit_support.postgres import OWNER, Postgres

SERVICES = ("audit", "custody", "messages", "redaction", "warrants")
FIRST = "0001"
RESHAPED = {"messages"}


def _folder(service: str) -> Path:
    return Path(str(resources.files(f"garim.{service}"))) / "migrations"


def _declared(service: str) -> sa.MetaData:
    """Return the metadata of a service's tables, with every module that declares some."""
    package = importlib.import_module(f"garim.{service}")
    names = [one.name for one in pkgutil.iter_modules(package.__path__) if one.name in {"schema", "tables"}]
    modules = [importlib.import_module(f"{package.__name__}.{name}") for name in names]
    for module in list(modules):
        below = pkgutil.iter_modules(getattr(module, "__path__", []))
        modules.extend(importlib.import_module(f"{module.__name__}.{one.name}") for one in below)
    found = {id(value): value for module in modules for value in vars(module).values()}
    (metadata,) = [one for one in found.values() if isinstance(one, sa.MetaData)]
    return metadata


def _table(inspector: sa.Inspector, sql: str, name: str) -> dict[str, Any]:
    return {
        "columns": {
            one["name"]: (str(one["type"]), one["nullable"], one["default"], one.get("primary_key"))
            for one in inspector.get_columns(name)
        },
        "key": inspector.get_pk_constraint(name)["constrained_columns"],
        "uniques": sorted(one["column_names"] for one in inspector.get_unique_constraints(name)),
        "checks": sorted(one["sqltext"] for one in inspector.get_check_constraints(name)),
        "foreign": sorted(
            (one["constrained_columns"], one["referred_table"], one["referred_columns"])
            for one in inspector.get_foreign_keys(name)
        ),
        "indexes": sorted(
            (str(one["name"]), one["column_names"], bool(one["unique"]), _where(one))
            for one in inspector.get_indexes(name)
        ),
        "options": sorted(re.findall(r"AUTOINCREMENT|WITHOUT ROWID|STRICT", sql)),
        "identity": sorted(one["name"] for one in inspector.get_columns(name) if one.get("identity")),
    }


def _where(index: Any) -> str:
    options = index.get("dialect_options", {})
    return str(options.get("sqlite_where", options.get("postgresql_where", "")))


def _tables(database: Database) -> dict[str, dict[str, Any]]:
    """Return what the database has, but for Alembic's own table and SQLite's."""
    with database.reading() as connection:
        inspector = sa.inspect(connection)
        sql: dict[str, str] = {}
        if connection.dialect.name == "sqlite":
            schema = connection.exec_driver_sql("SELECT name, sql FROM sqlite_schema WHERE type = 'table'")
            sql = {one.name: one.sql for one in schema}
        return {
            name: _table(inspector, sql.get(name, ""), name)
            for name in inspector.get_table_names()
            if name not in {"alembic_version", "sqlite_sequence"}
        }


def _fill(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Put a row into each table, without asking the code what the tables look like, and return all rows."""
    samples = {int: 1, str: "1", bytes: b"1", bool: True}
    with database.writing() as connection:
        reflected = sa.MetaData()
        reflected.reflect(connection)
        if connection.dialect.name == "postgresql" and "parts" in reflected.tables:
            connection.exec_driver_sql("SELECT open_partition()")
        for table in reflected.sorted_tables:
            if table.name not in {"alembic_version", "sqlite_sequence"}:
                row = {one.name: samples[one.type.python_type] for one in table.columns}
                connection.execute(table.insert().values(row))
    return _rows(database)


def _rows(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    with database.reading() as connection:
        reflected = sa.MetaData()
        reflected.reflect(connection)
        return {
            table.name: [tuple(row) for row in connection.execute(sa.select(table))]
            for table in reflected.sorted_tables
            if table.name not in {"alembic_version", "sqlite_sequence"}
        }


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["sqlite", "postgres"])
def new(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Database]]:
    """A function that makes an empty database, as whoever owns it reaches it."""
    made: list[Database] = []
    names: list[str] = []

    def make() -> Database:
        if request.param == "sqlite":
            made.append(Database(tmp_path / f"{len(made)}.db"))
        else:
            server: Postgres = request.getfixturevalue("postgres")
            names.append(server.create())
            made.append(Database(server.server(names[-1], OWNER)))
        return made[-1]

    yield make
    for one in made:
        one.close()
    for name in names:
        request.getfixturevalue("postgres").drop(name)


@pytest.fixture
def database(new: Callable[[], Database]) -> Database:
    return new()


def test_the_migrations_make_exactly_the_tables_of_the_code(
    service: str, database: Database, new: Callable[[], Database]
) -> None:
    upgrade(database, _folder(service))
    described = new()
    with described.writing() as connection:
        _declared(service).create_all(connection)
    assert _tables(database) == _tables(described), "the schema changed: write the next migration"


def test_migrations_read_nothing_of_the_code(service: str) -> None:
    for path in (_folder(service) / "versions").glob("*.py"):
        assert not re.search(r"^\s*(from|import) garim", path.read_text(encoding="utf-8"), re.MULTILINE), path


def test_migrating_keeps_what_is_in_the_tables(service: str, database: Database) -> None:
    if service in RESHAPED:
        pytest.skip("its migrations read what is in the rows: tested with real ones")
    upgrade(database, _folder(service), FIRST)
    before = _fill(database)
    assert all(before.values())
    upgrade(database, _folder(service))
    after = _rows(database)
    assert {name: len(after[name]) for name in before} == {name: len(rows) for name, rows in before.items()}
    downgrade(database, _folder(service), FIRST)
    assert _rows(database) == before


def test_migrations_go_down_with_data_in_the_tables_and_up_again(service: str, database: Database) -> None:
    upgrade(database, _folder(service))
    made = _tables(database)
    _fill(database)
    downgrade(database, _folder(service), "base")
    assert _tables(database) == {}
    upgrade(database, _folder(service))
    assert _tables(database) == made
