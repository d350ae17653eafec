"""Running a service's own Alembic migrations.

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

from garim.kit.db import Database


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
