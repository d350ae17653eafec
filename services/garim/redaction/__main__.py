"""Run redaction: ``python -m garim.redaction SETTINGS.toml``, or ``--migrate OWNER.toml``."""

from __future__ import annotations

import functools
import secrets
import sys
from pathlib import Path

from garim.api.audit.v1.audit_pb2_grpc import AuditLogServiceStub
from garim.api.custody.v1.custody_pb2_grpc import CustodyServiceStub
from garim.api.redaction.v1 import redaction_pb2_grpc
from garim.api.warrants.v1.warrants_pb2_grpc import WarrantsServiceStub
from garim.kit import migrations
from garim.kit.channel import Peers
from garim.kit.clock import Clock, SystemClock
from garim.kit.db import Database
from garim.kit.files import check_private
from garim.kit.governance import GovernanceSource
from garim.kit.governance_table import GovernanceTable
from garim.kit.hardening import harden_process
from garim.kit.identity import service_id
from garim.kit.ledger import Flusher, Ledger
from garim.kit.ledger import gauges as ledger_gauges
from garim.kit.ledger.refusals import RefusedCalls
from garim.kit.ownership import migrated
from garim.kit.server import MeshServer
from garim.kit.settings import load_settings
from garim.kit.telemetry import Telemetry, log_refusal
from garim.kit.tls import Rotation
from garim.redaction import gauges
from garim.redaction.builds import Builds, BuildSettings
from garim.redaction.delivery import Delivery
from garim.redaction.holds import Holds
from garim.redaction.peers import RedactionPeers
from garim.redaction.rights import RIGHTS
from garim.redaction.servicer import RedactionServicer
from garim.redaction.settings import RedactionSettings
from garim.statements.refusal import RefusedError

MIGRATIONS = Path(__file__).parent / "migrations"


def serve(path: Path, settings: RedactionSettings, clock: Clock, telemetry: Telemetry) -> None:
    """Wire the service and serve until signalled.

    Raises:
        RefusedError: A file, folder or the database is not as it must be.
    """
    settings.spool_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_private(settings.spool_folder.stat(), settings.spool_folder, "spool folder")
    database = Database(settings.database.place)
    migrations.prepare(database, MIGRATIONS, RIGHTS)
    rotation = Rotation(settings.tls.files(), settings.mesh, clock, telemetry)
    channels = Peers(rotation, settings.peers, clock=clock, telemetry=telemetry)
    custody = channels.stub(CustodyServiceStub, "custody")
    governance = GovernanceSource(
        custody,
        mesh=settings.mesh,
        genesis=settings.governance_genesis,
        clock=clock,
        store=GovernanceTable(database),
    )
    ledger = Ledger(
        channels.stub(AuditLogServiceStub, "audit"),
        governance=governance,
        actor=service_id(settings.mesh, "redaction"),
        database=database,
        clock=clock,
        random_bytes=secrets.token_bytes,
    )
    peers = RedactionPeers(
        channels.stub(WarrantsServiceStub, "warrants"), custody, governance, settings.mesh, clock
    )
    holds = Holds(database, ledger, governance, peers.freeze_in_force, settings.mesh, clock)
    builds = Builds(
        BuildSettings(path.absolute(), settings.spool_folder, settings.attempts, settings.mesh),
        database,
        peers,
        ledger,
        governance,
        holds,
    )
    delivery = Delivery(builds, database, peers, ledger, settings.spool_folder, secrets.token_bytes)
    servicer = RedactionServicer(builds, delivery, holds, settings.mesh)
    server = MeshServer(
        settings,
        [functools.partial(redaction_pb2_grpc.add_RedactionServiceServicer_to_server, servicer)],
        clock=clock,
        telemetry=telemetry,
        refusal_sink=RefusedCalls(ledger, clock, secrets.token_bytes),
    )
    server.health.register("database", database.check)
    server.health.register("governance", functools.partial(_known, governance))
    server.health.tell_governance(lambda: governance.current().version)
    ledger_gauges.show(telemetry, database)
    gauges.show(telemetry, database)
    flusher = Flusher(ledger, telemetry)
    flusher.start()
    server.serve_until_signalled()
    flusher.close()
    channels.close()
    database.close()


def _known(governance: GovernanceSource) -> None:
    governance.current()


def main() -> int:
    """Serve until signalled."""
    harden_process()
    clock = SystemClock()
    telemetry = Telemetry("redaction", clock)
    try:
        if migrated(sys.argv, MIGRATIONS, RIGHTS):
            return 0
        path = Path(sys.argv[1])
        settings = load_settings(path, RedactionSettings)
        telemetry = Telemetry("redaction", clock, tracing=settings.telemetry.target)
        serve(path, settings, clock, telemetry)
    except RefusedError as refusal:
        log_refusal(telemetry, "not_started", refusal)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
