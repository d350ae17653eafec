"""The database of a service: SQLite that loses nothing it acknowledged, behind SQLAlchemy.

Writing transactions are serialised (BEGIN IMMEDIATE, and one at a time in the process, so that threads wait
in line instead of timing out); reading ones see one snapshot beside them. Errors of the database become
refusals with a reason. The seam for PostgreSQL is `Database`: services see `writing`, `reading` and Core
statements only.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import sqlalchemy
from sqlalchemy import event

from garim.kit.files import check_private
from garim.statements.refusal import Kind, RefusedError

BUSY_TIMEOUT_MS = 5_000
READERS = 16

_LOCKED = ("DATABASE_LOCKED", "another writer holds the database: try again", Kind.UNAVAILABLE)
_READ_ONLY = ("DATABASE_READ_ONLY", "the database cannot be written: check its rights", Kind.UNAVAILABLE)
_CORRUPT = ("DATABASE_CORRUPT", "the file is damaged or no database: restore it", Kind.DATA_LOSS)

# Primary result codes of SQLite (sqlite.org/rescode.html) that tell about the place, not about the statement.
_REASONS = MappingProxyType(
    {
        sqlite3.SQLITE_BUSY: _LOCKED,
        sqlite3.SQLITE_LOCKED: _LOCKED,
        sqlite3.SQLITE_READONLY: _READ_ONLY,
        sqlite3.SQLITE_PERM: _READ_ONLY,
        sqlite3.SQLITE_FULL: ("DATABASE_FULL", "the disk is full: free some space", Kind.EXHAUSTED),
        sqlite3.SQLITE_IOERR: ("DATABASE_IO", "the disk fails to read or write", Kind.UNAVAILABLE),
        sqlite3.SQLITE_CANTOPEN: ("DATABASE_UNREACHABLE", "the file cannot be opened", Kind.UNAVAILABLE),
        sqlite3.SQLITE_CORRUPT: _CORRUPT,
        sqlite3.SQLITE_NOTADB: _CORRUPT,
    }
)


class Database:
    """The database of one service, in one file.

    Args:
        path: The file; created with mode 0600 if absent, in a folder that exists.
        busy_timeout_ms: How long a transaction waits for another writer, in milliseconds.

    Raises:
        RefusedError: `KEY_FILE_MODE` (others may read it), `DATABASE_UNREACHABLE`, `DATABASE_READ_ONLY`,
            `DATABASE_LOCKED` or `DATABASE_CORRUPT`.
    """

    def __init__(self, path: Path, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        _create_private(path)
        self._busy_timeout_ms = busy_timeout_ms
        self._lock = threading.Lock()
        self._writer = self._engine(path, "BEGIN IMMEDIATE", readonly=False, connections=1)
        self._reader = self._engine(path, "BEGIN", readonly=True, connections=READERS)
        self.check()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlalchemy.Connection]:
        """Open a serialised transaction: committed at the end of the block, undone if the block raises.

        It is not re-entrant: a function that writes takes the connection as an argument.

        Raises:
            RefusedError: `DATABASE_LOCKED`, `DATABASE_READ_ONLY`, `DATABASE_FULL`, `DATABASE_IO`,
                `DATABASE_UNREACHABLE` or `DATABASE_CORRUPT`. What a statement itself breaks (a constraint)
                stays SQLAlchemy's error.
        """
        if not self._lock.acquire(timeout=self._busy_timeout_ms / 1000):
            raise _refusal(*_LOCKED)
        try:
            with _refusing(), self._writer.begin() as connection:
                yield connection
        finally:
            self._lock.release()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlalchemy.Connection]:
        """Open a transaction that sees one snapshot and cannot write.

        Raises:
            RefusedError: As `writing`; `DATABASE_READ_ONLY` for a statement that writes.
        """
        with _refusing(), self._reader.begin() as connection:
            yield connection

    def check(self) -> None:
        """Return if the database can be read and written; for `health.Health.register`.

        While somebody writes, that is proof enough: the check does not stand in line behind them.

        Raises:
            RefusedError: As `writing`.
        """
        with self.reading() if self._lock.locked() else self.writing() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar_one()

    def close(self) -> None:
        """Close every connection."""
        self._writer.dispose()
        self._reader.dispose()

    def _engine(self, path: Path, begin: str, *, readonly: bool, connections: int) -> sqlalchemy.Engine:
        # The parameters of a statement may be what nobody may read in a log: they are hidden.
        engine = sqlalchemy.create_engine(
            sqlalchemy.URL.create("sqlite", database=str(path)),
            hide_parameters=True,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=self._busy_timeout_ms / 1000,
        )

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _record: object) -> None:
            for pragma in (
                f"busy_timeout = {self._busy_timeout_ms}",
                "journal_mode = WAL",
                "synchronous = FULL",
                "foreign_keys = ON",
                "secure_delete = ON",
                f"query_only = {'ON' if readonly else 'OFF'}",
            ):
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(engine, "begin")
        def start(connection: sqlalchemy.Connection) -> None:
            connection.exec_driver_sql(begin)

        return engine


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except sqlalchemy.exc.TimeoutError:
        raise _refusal(*_LOCKED) from None
    except sqlalchemy.exc.DBAPIError as error:
        reason = _reason_of(error.orig)
        if reason is None:
            raise
        raise _refusal(*reason) from error
    except sqlite3.Error as error:
        reason = _reason_of(error)
        if reason is None:
            raise
        raise _refusal(*reason) from error


def _reason_of(error: BaseException | None) -> tuple[str, str, Kind] | None:
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else _REASONS.get(code & 0xFF)


def _create_private(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        raise _refusal(
            "DATABASE_UNREACHABLE", f"the folder of {path} does not exist", Kind.UNAVAILABLE
        ) from None
    except OSError as error:
        raise _refusal(
            "DATABASE_READ_ONLY", f"{path} cannot be opened to write: {error.strerror}", Kind.UNAVAILABLE
        ) from None
    try:
        check_private(os.fstat(descriptor), path, "database")
    finally:
        os.close(descriptor)


def _refusal(reason: str, message: str, kind: Kind) -> RefusedError:
    return RefusedError(reason, message, kind=kind)
