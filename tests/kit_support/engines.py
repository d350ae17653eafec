"""On which engine the databases of tests lie: SQLite files, or a PostgreSQL server while `on_postgres` lasts.

Support code names a database by a path and its service; on PostgreSQL each path stands for a database of its
own, opened as the service's runtime role. Tests that run on both take the fixture `engine`.
"""

from __future__ import annotations

import contextlib
import importlib
import sqlite3
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from garim.kit.db import Database, Server
from garim.kit.migrations import prepare
from kit_support.postgres import Place, Postgres

_servers: list[Postgres] = []
_places: dict[Path, Server] = {}
_opened: list[Database] = []


@contextlib.contextmanager
def on_postgres(server: Postgres) -> Iterator[None]:
    """Open databases on a server; those that were made are closed and dropped at the end."""
    _servers.append(server)
    try:
        yield
    finally:
        _servers.pop()
        if not _servers:
            for database in _opened:
                database.close()
            _opened.clear()
            for place in _places.values():
                server.drop(place.address.database)
            _places.clear()


def place_of(path: Path, service: str) -> Place:
    """Return where the database of a service lies that tests name by a path."""
    if not _servers:
        return path
    if path not in _places:
        _places[path] = _servers[-1].service(service)
    return _places[path]


def open_database(path: Path, service: str) -> Database:
    """Open a service's database, made and migrated the first time."""
    database = Database(place_of(path, service))
    if _servers:
        _opened.append(database)
    migrations = Path(str(resources.files(f"garim.{service}"))) / "migrations"
    prepare(database, migrations, importlib.import_module(f"garim.{service}.rights").RIGHTS)
    return database


def copy_database(path: Path, copy: Path) -> None:
    """Copy a database, as a backup does; whatever was at the copy's place is gone.

    Args:
        path: Names a database that nobody uses now, on PostgreSQL.
        copy: Names the copy.
    """
    if _servers:
        if copy in _places:
            _servers[-1].drop(_places[copy].address.database)
        _places[copy] = _servers[-1].copy(_places[path])
        return
    copy.unlink(missing_ok=True)
    for suffix in ("-wal", "-shm"):
        copy.with_name(copy.name + suffix).unlink(missing_ok=True)
    copy.touch(mode=0o600)
    with (
        contextlib.closing(sqlite3.connect(path)) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
