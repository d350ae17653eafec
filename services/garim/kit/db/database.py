"""The one interface to a service's database."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy

from garim.kit.db.engines import Engines
from garim.kit.db.place import Server
from garim.kit.db.refusals import LOCKED, refusal

BUSY_TIMEOUT_MS = 5_000


class Database:
    """The database of one service.

    Args:
        place: A file (SQLite; created with mode 0600 if absent, in a folder that exists), or a database on a
            PostgreSQL server.
        busy_timeout_ms: How long a transaction waits for another writer, in milliseconds.

    Raises:
        RefusedError: `KEY_FILE_MODE` (others may read the file), `DATABASE_NOT_DURABLE` (the server
            acknowledges before it has synced), `DATABASE_UNREACHABLE`, `DATABASE_READ_ONLY`,
            `DATABASE_LOCKED` or `DATABASE_CORRUPT`.
    """

    def __init__(self, place: Path | Server, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        self._busy_timeout_s = busy_timeout_ms / 1000
        self._lock = threading.Lock()
        self._engines = _engines(place, busy_timeout_ms)
        self.check()

    @property
    def is_own(self) -> bool:
        """Whether the place belongs to the service wholly, so that it makes its tables itself."""
        return self._engines.is_own

    @contextlib.contextmanager
    def writing(self, *, shared: bool = False) -> Iterator[sqlalchemy.Connection]:
        """Open a writing transaction: committed at the end of the block, undone if the block raises.

        It is alone: on PostgreSQL an advisory lock holds back those of the service's other processes. It is
        not re-entrant: a function that writes takes the connection as an argument.

        Args:
            shared: Whether others that are shared may run beside it. On PostgreSQL it sees what they commit
                meanwhile (READ COMMITTED), so only statements that stand by themselves belong into it. On
                SQLite it is alone as well.

        Raises:
            RefusedError: `DATABASE_LOCKED`, `DATABASE_READ_ONLY`, `DATABASE_FULL`, `DATABASE_IO`,
                `DATABASE_UNREACHABLE` or `DATABASE_CORRUPT`. What a statement itself breaks (a constraint)
                stays SQLAlchemy's error, without the values.
        """
        line = contextlib.nullcontext() if shared and self._engines.shares else self._line()
        with line, self._refusing(), self._engines.writer.begin() as connection:
            self._engines.enter(connection, shared=shared)
            yield connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlalchemy.Connection]:
        """Open a transaction that sees one snapshot and cannot write.

        Raises:
            RefusedError: As `writing`; `DATABASE_READ_ONLY` for a statement that writes.
        """
        with self._refusing(), self._engines.reader.begin() as connection:
            yield connection

    def check(self) -> None:
        """Return if the database can be read and written; for `health.Health.register`.

        While somebody writes, that is proof enough: the check does not stand in line behind them.

        Raises:
            RefusedError: As `writing`.
        """
        if self._lock.locked():
            with self.reading() as connection:
                connection.exec_driver_sql("SELECT 1").scalar_one()
        else:
            with self._line(), self._refusing(), self._engines.writer.begin() as connection:
                connection.exec_driver_sql(self._engines.probe).scalar_one()

    def close(self) -> None:
        """Close every connection."""
        self._engines.writer.dispose()
        self._engines.reader.dispose()

    @contextlib.contextmanager
    def _line(self) -> Iterator[None]:
        """Wait in line with the process's other threads, instead of timing out one by one."""
        if not self._lock.acquire(timeout=self._busy_timeout_s):
            raise refusal(LOCKED)
        try:
            yield
        finally:
            self._lock.release()

    @contextlib.contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except sqlalchemy.exc.TimeoutError:
            raise refusal(LOCKED) from None
        except sqlalchemy.exc.DBAPIError as error:
            reason = self._engines.reason_of(error.orig)
            bare = self._engines.bare(error.orig)
            if reason is None:
                raise type(error)(error.statement, None, bare, hide_parameters=True) from None
            raise refusal(reason) from bare
        except self._engines.errors as error:
            reason = self._engines.reason_of(error)
            if reason is None:
                raise self._engines.bare(error) from None
            raise refusal(reason) from self._engines.bare(error)


def _engines(place: Path | Server, busy_timeout_ms: int) -> Engines:
    if isinstance(place, Path):
        from garim.kit.db.sqlite import SqliteEngines

        return SqliteEngines(place, busy_timeout_ms)
    from garim.kit.db.postgres import PostgresEngines

    return PostgresEngines(place, busy_timeout_ms)
