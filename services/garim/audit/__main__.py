"""Run the audit service: ``python -m garim.audit SETTINGS.toml``, or ``--migrate OWNER.toml``."""

from __future__ import annotations

import contextlib
import functools
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

from garim.api.audit.v1.audit_pb2_grpc import add_AuditLogServiceServicer_to_server
from garim.audit.refused_calls import OwnRefusals
from garim.audit.rights import RIGHTS
from garim.audit.service import TransparencyLog
from garim.audit.servicer import AuditLogServicer
from garim.audit.settings import AuditSettings
from garim.audit.tables import read_size
from garim.audit.witnesses import HttpPost, Witness
from garim.kit import migrations
from garim.kit.db import Database
from garim.kit.identity import service_id
from garim.kit.ownership import migrated
from garim.kit.process import Process, refusals_end_the_process, settings_path
from garim.kit.server import MeshServer
from garim.kit.settings import load_settings
from garim.kit.statement_key import load_statement_key
from garim.translog.keys import Signer, VerifierKey

SERVICE = "audit"
MIGRATIONS = Path(__file__).parent / "migrations"


@contextlib.contextmanager
def wired(settings: AuditSettings) -> Iterator[MeshServer]:
    """Wire the service; its server is not yet started.

    Args:
        settings: Its settings.

    Raises:
        RefusedError: It cannot start: keys, database, stored tree or address are not as they must be.
    """
    process = Process(SERVICE, settings)
    signer = Signer.of_private_key(
        settings.log.origin, load_statement_key(settings.log.key, "checkpoint key")
    )
    database = Database(settings.database.place)
    with contextlib.ExitStack() as ending:
        ending.callback(database.close)
        migrations.prepare(database, MIGRATIONS, RIGHTS)
        log = TransparencyLog(
            database,
            signer,
            mesh=settings.mesh,
            genesis=bytes.fromhex(settings.log.genesis or settings.governance_genesis),
            clock=process.clock,
            wait_for=settings.log.wait_for,
            witnesses=[
                Witness(
                    VerifierKey.parse(one.key),
                    HttpPost(one.url, settings.log.witness_timeout_s, one.trust),
                )
                for one in settings.log.witnesses
            ],
            timeout_s=settings.log.witness_timeout_s,
        )
        ending.callback(log.close)
        servicer = AuditLogServicer(log, settings.mesh)
        actor = service_id(settings.mesh, SERVICE)
        server = process.server(
            [functools.partial(add_AuditLogServiceServicer_to_server, servicer)],
            OwnRefusals(log, actor, process.clock, secrets.token_bytes),
        )
        server.health.register("database", database.check)
        process.telemetry.gauge("log_entries", lambda: _size(database))
        yield server


def _size(database: Database) -> int:
    with database.reading() as connection:
        return read_size(connection)


def main() -> None:
    """Read the settings named on the command line and serve until signalled."""
    with refusals_end_the_process("garim-audit"):
        if migrated(sys.argv, MIGRATIONS, RIGHTS):
            return
        settings = load_settings(settings_path(sys.argv), AuditSettings)
        with wired(settings) as server:
            server.serve_until_signalled()


if __name__ == "__main__":
    main()
