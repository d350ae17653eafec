"""Run the message store: ``python -m garim.messages SETTINGS.toml``, or ``--migrate OWNER.toml``."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path

from garim.api.audit.v1.audit_pb2_grpc import AuditLogServiceStub
from garim.api.custody.v1.custody_pb2_grpc import CustodyServiceStub
from garim.api.messages.v1.messages_pb2_grpc import add_MessageStoreServiceServicer_to_server
from garim.kit.db import Database
from garim.kit.governance import GovernanceSource
from garim.kit.governance_table import GovernanceTable
from garim.kit.identity import service_id
from garim.kit.ledger import Flusher, Ledger
from garim.kit.ledger import gauges as ledger_gauges
from garim.kit.ledger.refusals import RefusedCalls
from garim.kit.migrations import prepare
from garim.kit.ownership import migrated
from garim.kit.process import Process, refusals_end_the_process, settings_path
from garim.kit.settings import load_settings
from garim.kit.statement_key import load_statement_key
from garim.messages import gauges
from garim.messages.peers import epochs_of_custody
from garim.messages.rights import RIGHTS
from garim.messages.service import Housekeeping, MessageStore
from garim.messages.servicer import MessagesServicer
from garim.messages.settings import MessagesSettings

MIGRATIONS = Path(__file__).parent / "migrations"


def serve(settings: MessagesSettings) -> None:
    """Wire the store and serve until SIGTERM.

    Args:
        settings: Its settings.

    Raises:
        RefusedError: It cannot start: keys, database or address are not as they must be.
    """
    process = Process("messages", settings)
    clock, telemetry = process.clock, process.telemetry
    key = load_statement_key(settings.statement_key)
    database = Database(settings.database.place)
    prepare(database, MIGRATIONS, RIGHTS)
    governance = GovernanceSource(
        process.peers.stub(CustodyServiceStub, "custody"),
        mesh=settings.mesh,
        genesis=settings.governance_genesis,
        clock=clock,
        store=GovernanceTable(database),
    )
    ledger = Ledger(
        process.peers.stub(AuditLogServiceStub, "audit"),
        governance=governance,
        actor=service_id(settings.mesh, "messages"),
        database=database,
        clock=clock,
        random_bytes=os.urandom,
    )
    store = MessageStore(
        settings,
        database,
        log=ledger,
        ask_epochs=epochs_of_custody(process.peers),
        governance=governance.current,
        sign=key.sign,
        clock=clock,
        random_bytes=os.urandom,
        telemetry=telemetry,
    )
    servicer = MessagesServicer(store, settings.mesh)
    server = process.server(
        [functools.partial(add_MessageStoreServiceServicer_to_server, servicer)],
        RefusedCalls(ledger, clock, os.urandom),
    )
    server.health.register("storing", store.ready)
    server.health.tell_governance(lambda: governance.current().version)
    ledger_gauges.show(telemetry, database)
    gauges.show(telemetry, database)
    flusher, housekeeping = Flusher(ledger, telemetry), Housekeeping(store, telemetry)
    flusher.start()
    housekeeping.start()
    try:
        server.serve_until_signalled()
    finally:
        housekeeping.close()
        flusher.close()
        process.peers.close()
        database.close()
        telemetry.close()


def main() -> None:
    """Read the settings named on the command line and serve."""
    with refusals_end_the_process("garim-messages"):
        if migrated(sys.argv, MIGRATIONS, RIGHTS):
            return
        serve(load_settings(settings_path(sys.argv), MessagesSettings))


if __name__ == "__main__":
    main()
