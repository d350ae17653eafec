"""Run warrants: ``python -m garim.warrants SETTINGS.toml``, or ``--migrate OWNER.toml``."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path

from garim.api.audit.v1.audit_pb2_grpc import AuditLogServiceStub
from garim.api.custody.v1.custody_pb2_grpc import CustodyServiceStub
from garim.api.warrants.v1.warrants_pb2_grpc import add_WarrantsServiceServicer_to_server
from garim.documents.x509 import TrustPolicy
from garim.kit.clock import Clock
from garim.kit.db import Database
from garim.kit.document_opener import DocumentOpener
from garim.kit.files import read_file
from garim.kit.governance import GovernanceSource
from garim.kit.governance_table import GovernanceTable
from garim.kit.identity import service_id
from garim.kit.ledger import Flusher, Ledger
from garim.kit.ledger import gauges as ledger_gauges
from garim.kit.ledger.refusals import RefusedCalls
from garim.kit.migrations import prepare
from garim.kit.ownership import migrated
from garim.kit.policy_files import KeptPolicies, files_beside
from garim.kit.process import Process, refusals_end_the_process, settings_path
from garim.kit.revocation_lists import RevocationLists
from garim.kit.settings import load_settings
from garim.kit.statement_key import demand_pinned, load_statement_key
from garim.kit.telemetry import Telemetry
from garim.warrants import gauges
from garim.warrants.cases import Event
from garim.warrants.edge import Edge
from garim.warrants.hi1 import Correspondence
from garim.warrants.means import Means, Policies
from garim.warrants.peers import CustodyPeer, MessagesPeer
from garim.warrants.rights import RIGHTS
from garim.warrants.service import Warrants
from garim.warrants.servicer import WarrantsServicer
from garim.warrants.settings import WarrantsSettings
from garim.warrants.tables import CaseTables, noting_in
from garim.warrants.watch import Watch

SERVICE = "warrants"
MIGRATIONS = Path(__file__).parent / "migrations"


def serve(settings: WarrantsSettings) -> None:
    """Wire the service and serve until SIGTERM.

    Args:
        settings: Its settings.

    Raises:
        RefusedError: It cannot start: keys, database or address are not as they must be.
    """
    # Before anything secret is read.
    documents = DocumentOpener(schemas=settings.hi1_schemas)
    process = Process(SERVICE, settings)
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
        actor=service_id(settings.mesh, SERVICE),
        database=database,
        clock=clock,
        random_bytes=os.urandom,
    )
    tables = CaseTables(database, noting_in(ledger), clock, functools.partial(_moved, telemetry))
    crls = RevocationLists(settings.crls_folder, database, clock)
    means = Means(
        mesh=settings.mesh,
        governance=governance,
        policies=Policies(
            lambda: read_file(settings.policy_file, "policy file"),
            KeptPolicies(lambda: files_beside(settings.policy_file)),
        ),
        store=tables,
        log=ledger,
        custody=CustodyPeer(process.peers),
        messages=MessagesPeer(process.peers),
        open_document=documents.open,
        crls=crls.at_hand,
        sign=key.sign,
        clock=clock,
        draw=os.urandom,
    )
    warrants = Warrants(means, functools.partial(_answered, telemetry))
    correspondence = Correspondence(means, warrants, documents.read_message)
    servicer = WarrantsServicer(warrants, correspondence, settings.mesh)
    server = process.server(
        [functools.partial(add_WarrantsServiceServicer_to_server, servicer)],
        RefusedCalls(ledger, clock, os.urandom),
    )
    server.health.register("database", database.check)
    server.health.register("documents", documents.check)
    server.health.register("governance", warrants.demand_ready)
    server.health.tell_governance(lambda: governance.current().version)
    ledger_gauges.show(telemetry, database)
    gauges.show(telemetry, database)
    telemetry.gauge("revocation_list_expiry", lambda: _lists_end(crls, governance))
    server.health.register("statement_key", lambda: demand_pinned(key, governance.current().keys_of(SERVICE)))
    flusher = Flusher(ledger, telemetry)
    flusher.start()
    watch = Watch(warrants, telemetry)
    telemetry.gauge("duties_overdue", watch.overdue)
    watch.start()
    edge = _edge(settings, correspondence, clock)
    if edge is not None:
        server.health.register("edge", edge.check)
        edge.start()
        telemetry.info("edge_listening", port=edge.port)
    try:
        server.serve_until_signalled()
    finally:
        if edge is not None:
            edge.close()
        watch.close()
        flusher.close()
        documents.close()
        process.peers.close()
        database.close()


def _edge(settings: WarrantsSettings, correspondence: Correspondence, clock: Clock) -> Edge | None:
    if settings.edge is None:
        return None
    return Edge(
        settings.edge, correspondence.answer, mesh=settings.mesh, clock=clock, drain_s=settings.drain_s
    )


def _lists_end(crls: RevocationLists, governance: GovernanceSource) -> float:
    return crls.ends_ms(TrustPolicy.of(governance.current())) / 1000


def _answered(telemetry: Telemetry, event: str, what: str) -> None:
    if event == "documents_refused":
        telemetry.count(event, reason=what)
    else:
        telemetry.count(event, state=what)


def _moved(telemetry: Telemetry, case: bytes, event: Event) -> None:
    telemetry.count("case_transitions", reason=event.cause.value, state=event.state.value)
    telemetry.info("case_moved", case=case.hex(), reason=event.cause.value, state=event.state.value)


def main() -> None:
    """Read the settings named on the command line and serve."""
    with refusals_end_the_process("garim-warrants"):
        if migrated(sys.argv, MIGRATIONS, RIGHTS):
            return
        serve(load_settings(settings_path(sys.argv), WarrantsSettings))


if __name__ == "__main__":
    main()
