"""PostgreSQL as a service uses it: over TLS or a Unix socket, durable, with a line across processes.

A writing transaction runs in READ COMMITTED behind an advisory lock of the database, taken before its first
statement, so that it sees all that was committed before it and nothing happens beside it; shared ones hold
the lock together. A reading one is REPEATABLE READ and READ ONLY: one snapshot.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import psycopg
import sqlalchemy
from sqlalchemy import event

from garim.kit.db.place import Server
from garim.kit.db.refusals import CORRUPT, FULL, IO, LOCKED, READ_ONLY, UNREACHABLE, Reason, refusal
from garim.kit.files import read_secret_file
from garim.statements.refusal import Kind

CONNECT_TIMEOUT_S = 5
CONNECTIONS = 16
NOT_DURABLE = (
    "DATABASE_NOT_DURABLE",
    "the server acknowledges what it may lose: set fsync, full_page_writes and synchronous_commit to on",
    Kind.PRECONDITION,
)
# One lock for all writing transactions of a database.
_LOCK = int.from_bytes(b"garim")
_LOCKS = MappingProxyType(
    {
        False: f"SELECT pg_advisory_xact_lock({_LOCK})",
        True: f"SELECT pg_advisory_xact_lock_shared({_LOCK})",
    }
)
_DURABLE = frozenset({"on", "remote_apply"})

# SQLSTATEs (PostgreSQL's appendix A) and their classes that tell about the place, not about the statement.
_REASONS = MappingProxyType(
    {
        "55P03": LOCKED,  # lock_not_available: lock_timeout
        "40P01": LOCKED,  # deadlock_detected
        "40001": LOCKED,  # serialization_failure
        "25006": READ_ONLY,  # read_only_sql_transaction
        "42501": READ_ONLY,  # insufficient_privilege
        "53100": FULL,  # disk_full
        "53": UNREACHABLE,  # out of memory, too many connections
        "08": UNREACHABLE,  # connection exceptions
        "28": UNREACHABLE,  # the role is not let in
        "3D": UNREACHABLE,  # no such database
        "57P": UNREACHABLE,  # shutdown, crash, starting up, database dropped
        "58": IO,
        "XX001": CORRUPT,
        "XX002": CORRUPT,
    }
)


class BareError(Exception):
    """What may be shown of a server's error: its code and the names of the schema, never a value."""


class PostgresEngines:
    """The engines of one database on a server.

    Args:
        server: Where it is.
        busy_timeout_ms: How long a transaction waits for another, in milliseconds.
    """

    errors: tuple[type[Exception], ...] = (psycopg.Error,)
    # A transaction id is given to writers only.
    probe = "SELECT pg_current_xact_id()::text"
    shares = True
    is_own = False

    def __init__(self, server: Server, busy_timeout_ms: int) -> None:
        self._server = server
        self._busy_timeout_ms = busy_timeout_ms
        self.writer = self._engine("READ COMMITTED", readonly=False)
        self.reader = self._engine("REPEATABLE READ", readonly=True)

    def enter(self, connection: sqlalchemy.Connection, *, shared: bool) -> None:
        """Wait for the advisory lock, which the transaction's end gives back."""
        connection.exec_driver_sql(_LOCKS[shared])

    def reason_of(self, error: BaseException | None) -> Reason | None:
        """Return the reason of an error that tells about the place."""
        state = getattr(error, "sqlstate", None)
        if state is None:
            return UNREACHABLE if isinstance(error, psycopg.OperationalError) else None
        return _REASONS.get(state) or _REASONS.get(state[:3]) or _REASONS.get(state[:2])

    def bare(self, error: BaseException | None) -> Exception:
        """Return the error without its message, detail and context, which show values of rows."""
        if not isinstance(error, psycopg.Error):
            return BareError(type(error).__name__)
        named = (error.sqlstate, error.diag.table_name, error.diag.column_name, error.diag.constraint_name)
        return BareError(" ".join((type(error).__name__, *filter(None, named))))

    def _engine(self, isolation: Any, *, readonly: bool) -> sqlalchemy.Engine:
        # A connection that a restart of the server has ended is found out before it is used.
        engine = sqlalchemy.create_engine(
            "postgresql+psycopg://",
            hide_parameters=True,
            isolation_level=isolation,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=self._busy_timeout_ms / 1000,
            pool_pre_ping=True,
        )

        @event.listens_for(engine, "do_connect")
        def reach(_dialect: object, _record: object, _args: object, parameters: dict[str, Any]) -> None:
            parameters.update(parameters_of(self._server, self._busy_timeout_ms))

        @event.listens_for(engine, "connect")
        def prepare(connection: psycopg.Connection[Any], _record: object) -> None:
            _demand_durable(connection)
            connection.read_only = readonly

        return engine


def parameters_of(server: Server, busy_timeout_ms: int) -> dict[str, Any]:
    """Return libpq's parameters, all of them said, so that no variable of the environment has a say.

    Args:
        server: Where the database is.
        busy_timeout_ms: How long a statement waits for a lock, in milliseconds.

    Raises:
        RefusedError: As `read_secret_file`.
    """
    address = server.address
    password = None
    if server.password_file is not None:
        password = read_secret_file(server.password_file, "database password").decode().strip()
    return {
        "host": address.host,
        "hostaddr": "",
        "port": address.port,
        "user": address.role,
        "dbname": address.database,
        "password": password,
        # Only a server that knows the password's verifier, and itself, can be talked to.
        "require_auth": "none" if password is None else "scram-sha-256",
        "channel_binding": "disable" if password is None or address.is_local else "require",
        "sslmode": "disable" if address.is_local else "verify-full",
        "sslrootcert": str(server.trust or ""),
        "sslcert": str(server.certificate or ""),
        "sslkey": str(server.key or ""),
        "sslcertmode": "disable" if server.certificate is None else "require",
        "ssl_min_protocol_version": "TLSv1.3",
        "gssencmode": "disable",
        "target_session_attrs": "any",
        "connect_timeout": CONNECT_TIMEOUT_S,
        "tcp_user_timeout": busy_timeout_ms * 2,
        "application_name": "garim",
        "options": f"-c lock_timeout={busy_timeout_ms} -c search_path=public,pg_temp",
    }


def _demand_durable(connection: psycopg.Connection[Any]) -> None:
    """Refuse a server that acknowledges before it has synced; hold synchronous_commit where it was found.

    Raises:
        RefusedError: `DATABASE_NOT_DURABLE`.
    """
    row = connection.execute(
        "SELECT current_setting('fsync'), current_setting('full_page_writes'),"
        " set_config('synchronous_commit', current_setting('synchronous_commit'), false)"
    ).fetchone()
    connection.commit()
    if row is None or row[:2] != ("on", "on") or row[2] not in _DURABLE:
        connection.close()
        raise refusal(NOT_DURABLE)
