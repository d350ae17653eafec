"""SQLite that loses nothing it acknowledged: WAL, synced at every commit, one writer at a time."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from types import MappingProxyType
from typing import Any

import sqlalchemy
from sqlalchemy import event

from garim.kit.db.refusals import CORRUPT, FULL, IO, LOCKED, READ_ONLY, UNREACHABLE, Reason, refusal
from garim.kit.files import check_private

READERS = 16

# Primary result codes of SQLite (sqlite.org/rescode.html) that tell about the place, not about the statement.
_REASONS = MappingProxyType(
    {
        sqlite3.SQLITE_BUSY: LOCKED,
        sqlite3.SQLITE_LOCKED: LOCKED,
        sqlite3.SQLITE_READONLY: READ_ONLY,
        sqlite3.SQLITE_PERM: READ_ONLY,
        sqlite3.SQLITE_FULL: FULL,
        sqlite3.SQLITE_IOERR: IO,
        sqlite3.SQLITE_CANTOPEN: UNREACHABLE,
        sqlite3.SQLITE_CORRUPT: CORRUPT,
        sqlite3.SQLITE_NOTADB: CORRUPT,
    }
)


class SqliteEngines:
    """The engines of one file.

    Args:
        path: The file.
        busy_timeout_ms: How long a transaction waits for another process, in milliseconds.

    Raises:
        RefusedError: `KEY_FILE_MODE`, `DATABASE_UNREACHABLE` or `DATABASE_READ_ONLY`.
    """

    errors: tuple[type[Exception], ...] = (sqlite3.Error,)
    probe = "SELECT count(*) FROM sqlite_schema"
    shares = False
    is_own = True

    def __init__(self, path: Path, busy_timeout_ms: int) -> None:
        _create_private(path)
        self._busy_timeout_ms = busy_timeout_ms
        self.writer = self._engine(path, "BEGIN IMMEDIATE", readonly=False, connections=1)
        self.reader = self._engine(path, "BEGIN", readonly=True, connections=READERS)

    def enter(self, connection: sqlalchemy.Connection, *, shared: bool) -> None:
        """Do nothing: BEGIN IMMEDIATE has taken the file."""

    def reason_of(self, error: BaseException | None) -> Reason | None:
        """Return the reason of an error that tells about the place."""
        code = getattr(error, "sqlite_errorcode", None)
        return None if code is None else _REASONS.get(code & 0xFF)

    def bare(self, error: BaseException | None) -> Exception:
        """Return the error: SQLite's messages name columns and never show a value."""
        return error if isinstance(error, Exception) else sqlite3.Error()

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


def _create_private(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        raise refusal(UNREACHABLE, f"the folder of {path} does not exist") from None
    except OSError as error:
        raise refusal(READ_ONLY, f"{path} cannot be opened to write: {error.strerror}") from None
    try:
        check_private(os.fstat(descriptor), path, "database")
    finally:
        os.close(descriptor)
