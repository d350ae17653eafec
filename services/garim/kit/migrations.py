"""Running a service's own Alembic migrations, and refusing tables that are not those of the code.

A service makes and changes the tables of its own file (SQLite) by itself at its start. On a PostgreSQL server
it has no right to: whoever owns the database migrates it before, and the service looks whether they did.

A service's `migrations/env.py` is two lines: ``from garim.kit.migrations import run_env`` and
``run_env()``. A migration runs in one writing transaction: it is made whole or not at all. It names its
columns literally, never the tables of the code: from the first release on a landed migration is never edited,
and a change of the schema is a new one (tests/contract/test_migrations.py compares).
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy
from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from garim.kit.db import Database
from garim.kit.db.rights import Rights, excess
from garim.statements.refusal import Kind, RefusedError

_MAY_CHANGE_TABLES = """
SELECT rolsuper OR rolcreatedb OR rolcreaterole
    OR has_database_privilege(current_database(), 'CREATE') OR has_schema_privilege('public', 'CREATE')
    OR EXISTS (
        SELECT FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND pg_has_role(relowner, 'MEMBER')
    )
FROM pg_roles WHERE rolname = current_user
"""


def prepare(database: Database, script_location: Path, rights: Rights) -> None:
    """Make sure, at a service's start, that the tables are those of its code.

    Args:
        database: The service's database.
        script_location: The service's `migrations` folder.
        rights: What the service does to its tables.

    Raises:
        RefusedError: `DATABASE_NOT_MIGRATED` (tables of another version), `DATABASE_ROLE` (the role may do
            more than the service does), or as `Database.writing`.
    """
    if database.is_own:
        upgrade(database, script_location)
        return
    with database.reading() as connection:
        if connection.exec_driver_sql(_MAY_CHANGE_TABLES).scalar_one():
            raise _role("the role could change the tables themselves: name the runtime role, not the owner")
        more = excess(connection, rights)
        found = MigrationContext.configure(connection).get_current_heads()
    wanted = ScriptDirectory(str(script_location)).get_heads()
    if set(found) != set(wanted):
        raise RefusedError(
            "DATABASE_NOT_MIGRATED",
            f"the tables are of version {', '.join(found) or 'none'}, the service needs"
            f" {', '.join(wanted)}: run the service with --migrate and the owner's settings first",
            kind=Kind.PRECONDITION,
        )
    if more:
        raise _role(f"the role may {more}, which the service never does: take that right away")


def upgrade(database: Database, script_location: Path, revision: str = "head") -> None:
    """Bring the tables up to a revision.

    Args:
        database: The service's database.
        script_location: The service's `migrations` folder.
        revision: Revision to reach; `head` for the newest.

    Raises:
        RefusedError: As `Database.writing`.
    """
    with database.writing() as connection:
        upgrade_in(connection, script_location, revision)


def upgrade_in(connection: sqlalchemy.Connection, script_location: Path, revision: str = "head") -> None:
    """Bring the tables up to a revision within a transaction.

    Args:
        connection: An open writing transaction.
        script_location: The service's `migrations` folder.
        revision: Revision to reach; `head` for the newest.
    """
    command.upgrade(_config(script_location, connection), revision)


def downgrade(database: Database, script_location: Path, revision: str) -> None:
    """Bring the tables down to a revision; `base` for none at all.

    Args:
        database: The service's database.
        script_location: The service's `migrations` folder.
        revision: Revision to reach.

    Raises:
        RefusedError: As `Database.writing`.
    """
    with database.writing() as connection:
        command.downgrade(_config(script_location, connection), revision)


def _role(message: str) -> RefusedError:
    return RefusedError("DATABASE_ROLE", message, kind=Kind.PRECONDITION)


def run_env() -> None:
    """Run the migrations that `upgrade` or `downgrade` asked for; only for a `migrations/env.py`."""
    connection = context.config.attributes["connection"]
    # SQLite cannot alter most of a table in place: Alembic's batch mode copies it.
    context.configure(connection=connection, render_as_batch=True, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


def _config(script_location: Path, connection: sqlalchemy.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(script_location).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
