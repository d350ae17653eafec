"""The recovery key: to it custody seals what it logs, so that a restored database can catch up."""

from __future__ import annotations

from garim.custody import jobs
from garim.custody.kinds import RECOVERY
from garim.custody.ports import Opener
from garim.custody.tables import recovery_keys
from garim.custody.tables.recovery_keys import RecoveryKey
from garim.kit.db import Database
from garim.kit.providers import KeyHandle, KeyProvider

OBJECT_ID = "log"


def recovery_public(database: Database, provider: KeyProvider, opener: Opener, mesh: str) -> bytes:
    """Return the recovery key's public half; the pair is made at the first start.

    Args:
        database: Custody's tables, with the key under its provider object.
        provider: Holds the object.
        opener: Makes the pair.
        mesh: Name of the mesh.

    Raises:
        RefusedError: `OPENER_FAILED`, and those of the key provider.
    """
    with database.reading() as connection:
        kept = recovery_keys.newest(connection)
    if kept is not None:
        return kept.public
    if not provider.exists(KeyHandle(RECOVERY, OBJECT_ID)):
        provider.create_object(RECOVERY, OBJECT_ID)
    job = jobs.MakeRecoveryKey(mesh=mesh, id=OBJECT_ID)
    made = jobs.RecoveryKeyMade.model_validate_json(opener.run(job.encode()))
    with database.writing() as connection:
        recovery_keys.add(connection, RecoveryKey(made.public, made.private))
    return made.public
