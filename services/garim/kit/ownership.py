"""What the owner of a service's PostgreSQL database does, and the running service cannot: migrate and grant.

`python -m garim.custody --migrate OWNER.toml`, before each start of a new version::

    runtime_role = "custody"
    [database]
    url = "postgresql://custody_owner@db.example/custody"
    trust = "db-ca.pem"
    password_file = "owner-password"
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import pydantic

from garim.kit.db import Database
from garim.kit.db.place import Server
from garim.kit.db.rights import Rights, grant
from garim.kit.migrations import upgrade_in
from garim.kit.settings import DatabaseSettings, Settings, load_settings
from garim.statements.refusal import Kind, RefusedError

OPTION = "--migrate"


class OwnerSettings(Settings):
    """Settings of whoever owns a service's database.

    Attributes:
        runtime_role: The role that the running service connects as; it gets the service's rights.
        database: The database, as its owner reaches it.
    """

    runtime_role: Annotated[str, pydantic.StringConstraints(min_length=1, max_length=63)]
    database: DatabaseSettings


def migrated(arguments: Sequence[str], script_location: Path, rights: Rights) -> bool:
    """Migrate if the command line asks for it; returns whether it did.

    Args:
        arguments: The command line.
        script_location: The service's `migrations` folder.
        rights: What the service does to its tables.

    Raises:
        RefusedError: As `load_settings` and `migrate`.
    """
    if OPTION not in arguments[1:]:
        return False
    if len(arguments) != 3 or arguments[1] != OPTION:
        raise RefusedError("SETTINGS_ARGUMENT", f"name the owner's settings file after {OPTION}")
    settings = load_settings(Path(arguments[2]), OwnerSettings)
    place = settings.database.place
    if not isinstance(place, Server):
        raise RefusedError(
            "SETTING_INVALID",
            "a service makes the tables of its own file: only a database with a url is migrated by its owner",
            kind=Kind.PRECONDITION,
            field="database.path",
        )
    migrate(place, settings.runtime_role, script_location, rights)
    return True


def migrate(place: Server, runtime_role: str, script_location: Path, rights: Rights) -> None:
    """Bring the tables up to the newest version and give the runtime role its rights, both or neither.

    Args:
        place: The database, as its owner reaches it.
        runtime_role: The role that the running service connects as.
        script_location: The service's `migrations` folder.
        rights: What the service does to its tables.

    Raises:
        RefusedError: As `Database`.
    """
    database = Database(place)
    try:
        with database.writing() as connection:
            upgrade_in(connection, script_location)
            grant(connection, runtime_role, rights)
    finally:
        database.close()
