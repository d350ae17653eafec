"""Wiring of the audit service: `python -m garim.audit settings.toml`."""

from __future__ import annotations

import functools
import secrets
import sys
from pathlib import Path

from garim.api.audit.v1 import audit_pb2_grpc
from garim.audit.keys import load_signer
from garim.audit.refused_calls import OwnRefusals
from garim.audit.service import TransparencyLog
from garim.audit.servicer import AuditLogServicer
from garim.audit.settings import AuditSettings
from garim.kit import migrations
from garim.kit.clock import Clock, SystemClock
from garim.kit.db import Database
from garim.kit.hardening import harden_process
from garim.kit.identity import service_id
from garim.kit.server import MeshServer
from garim.kit.settings import load_settings
from garim.kit.telemetry import Telemetry, log_refusal
from garim.statements.refusal import RefusedError


def build(settings: AuditSettings, clock: Clock, telemetry: Telemetry) -> MeshServer:
    """Return the server, ready to start.

    Raises:
        RefusedError: A file, the database or the stored tree is not as it must be.
    """
    database = Database(settings.database.path)
    migrations.upgrade(database, Path(__file__).parent / "migrations")
    log = TransparencyLog(
        database,
        load_signer(settings.log),
        mesh=settings.mesh,
        genesis=bytes.fromhex(settings.log.genesis or settings.governance_genesis),
        clock=clock,
        wait_for=settings.log.wait_for,
    )
    register = functools.partial(
        audit_pb2_grpc.add_AuditLogServiceServicer_to_server, AuditLogServicer(log, settings.mesh)
    )
    actor = service_id(settings.mesh, "audit")
    server = MeshServer(
        settings,
        [register],
        clock=clock,
        telemetry=telemetry,
        refusal_sink=OwnRefusals(log, actor, clock, secrets.token_bytes),
    )
    server.health.register("database", database.check)
    return server


def main() -> int:
    """Serve until signalled."""
    harden_process()
    clock = SystemClock()
    telemetry = Telemetry("audit", clock)
    try:
        settings = load_settings(Path(sys.argv[1]), AuditSettings)
        telemetry = Telemetry("audit", clock, tracing=settings.telemetry.tracing)
        build(settings, clock, telemetry).serve_until_signalled()
    except RefusedError as refusal:
        log_refusal(telemetry, "not_started", refusal)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
