"""The peers of the store: the same messages as plaintext rows in PostgreSQL and SQLite."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import sqlalchemy as sa

from garim.cli.bench.load import COLUMNS, PlainRow
from garim.cli.bench.plan import at_once, timed
from garim.cli.bench.postgres import connect
from garim.kit.db import Server

_TABLE = "CREATE TABLE plain (room text, sender text, sent bigint, kind integer, text text)"
_INDEX = "CREATE INDEX IF NOT EXISTS plain_room ON plain (room, sent)"
_SELECT = "SELECT room, sender, sent, kind, text FROM plain WHERE room = {} AND sent >= {} AND sent < {}"

Rows = list[list[PlainRow]]


def copy(server: Server, rows: Rows, *, indexed: bool = False, connections: int = 1) -> float:
    """Return the seconds that psycopg's COPY takes, a commit for each batch.

    Args:
        server: The database.
        rows: Batches of rows.
        indexed: Whether the table has the index by which rows are read again.
        connections: Over how many connections at once the batches go.
    """
    with connect(server) as connection:
        connection.execute("DROP TABLE IF EXISTS plain")
        connection.execute(_TABLE)
        if indexed:
            connection.execute(_INDEX)

    def work(own: Rows) -> None:
        with connect(server) as connection:
            for batch in own:
                with connection.cursor() as cursor, cursor.copy("COPY plain FROM STDIN") as stream:
                    for row in batch:
                        stream.write_row(row)

    return timed(lambda: at_once(work, [rows[first::connections] for first in range(connections)]))


def copy_once(server: Server, rows: Rows) -> float:
    """Return the seconds that one COPY takes, committed once."""
    return copy(server, [list(chain.from_iterable(rows))])


def core(server: Server, rows: Rows) -> float:
    """Return the seconds that SQLAlchemy Core's inserts take, a commit for each batch."""
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: connect(server, autocommit=False))
    table = sa.Table("plain", sa.MetaData(), *(sa.Column(name) for name in COLUMNS))
    prepared = [[dict(zip(COLUMNS, row, strict=True)) for row in own] for own in rows]
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS plain")
        connection.exec_driver_sql(_TABLE)
        connection.commit()

        def work() -> None:
            for own in prepared:
                connection.execute(table.insert(), own)
                connection.commit()

        seconds = timed(work)
    engine.dispose()
    return seconds


def executemany(path: Path, rows: Rows) -> float:
    """Return the seconds that SQLite takes (WAL, FULL), a commit for each batch."""
    path.unlink(missing_ok=True)
    with _sqlite(path) as connection:

        def work() -> None:
            for own in rows:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany("INSERT INTO plain VALUES (?, ?, ?, ?, ?)", own)
                connection.execute("COMMIT TRANSACTION")

        return timed(work)


def select_postgres(server: Server, rooms: list[str], period: tuple[int, int]) -> float:
    """Return the seconds that the rows of some rooms take to be read out of PostgreSQL, room by room."""
    with connect(server) as connection:
        connection.execute(_INDEX)
        statement = _SELECT.format("%s", "%s", "%s")
        return timed(lambda: [connection.execute(statement, (room, *period)).fetchall() for room in rooms])


def select_sqlite(path: Path, rooms: list[str], period: tuple[int, int]) -> float:
    """Return the seconds that the rows of some rooms take to be read out of SQLite, room by room."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(_INDEX)
        statement = _SELECT.format("?", "?", "?")
        return timed(lambda: [connection.execute(statement, (room, *period)).fetchall() for room in rooms])


@contextlib.contextmanager
def _sqlite(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(_TABLE)
        yield connection


def size_of_sqlite(path: Path) -> int:
    """Return the bytes of a SQLite database that somebody may have open."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        pages, size = (
            connection.execute(f"PRAGMA {one}").fetchone()[0] for one in ("page_count", "page_size")
        )
    return int(pages * size)


def size_of_postgres(server: Server) -> int:
    """Return the bytes of a PostgreSQL database."""
    with connect(server) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return int(row[0]) if row else 0
