"""Run custody: ``python -m garim.custody SETTINGS.toml``, or ``--migrate OWNER.toml``."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path

from garim.api.audit.v1.audit_pb2_grpc import AuditLogServiceStub
from garim.api.custody.v1.custody_pb2_grpc import add_CustodyServiceServicer_to_server
from garim.custody import gauges, genesis
from garim.custody.age import encrypt_to
from garim.custody.core import Core
from garim.custody.journal import Journal
from garim.custody.keeper import Keeper, KeeperThread
from garim.custody.opener import OpenerProcess
from garim.custody.peers import WarrantsPeer
from garim.custody.policy_file import PolicyFile
from garim.custody.providers import demand_destroys_in_time
from garim.custody.reapplying import Reapplying
from garim.custody.recovery import recovery_public
from garim.custody.restoring import Restoring, RestoringThread
from garim.custody.rights import RIGHTS
from garim.custody.servicer import CustodyServicer
from garim.custody.servicer_dossiers import DossierUseCases
from garim.custody.servicer_people import PeopleUseCases
from garim.custody.servicer_unmask import UnmaskUseCases
from garim.custody.settings import CustodySettings
from garim.documents.x509 import TrustPolicy
from garim.kit.db import Database
from garim.kit.document_opener import DocumentOpener
from garim.kit.files import read_file
from garim.kit.governance_table import GovernanceTable
from garim.kit.identity import service_id
from garim.kit.ledger import Flusher, Ledger
from garim.kit.ledger import gauges as ledger_gauges
from garim.kit.ledger.refusals import RefusedCalls
from garim.kit.migrations import prepare
from garim.kit.ownership import migrated
from garim.kit.policy_files import KeptPolicies, files_beside
from garim.kit.process import Process, refusals_end_the_process, settings_path
from garim.kit.providers.opening import open_key_provider
from garim.kit.revocation_lists import RevocationLists
from garim.kit.settings import load_settings
from garim.kit.statement_key import demand_pinned, load_statement_key

SERVICE = "custody"
MIGRATIONS = Path(__file__).parent / "migrations"


def serve(settings: CustodySettings) -> None:
    """Wire the service and serve until SIGTERM.

    Args:
        settings: Its settings.

    Raises:
        RefusedError: It cannot start: keys, database, governance or address are not as they must be.
    """
    # Before anything secret is read.
    documents = DocumentOpener()
    process = Process(SERVICE, settings)
    clock, telemetry, mesh = process.clock, process.telemetry, settings.mesh
    key = load_statement_key(settings.statement_key)
    database = Database(settings.database.place)
    prepare(database, MIGRATIONS, RIGHTS)
    governance = genesis.OwnGovernance(GovernanceTable(database), mesh, settings.governance_genesis)
    genesis.begin(governance, settings.governance_folder)
    demand_pinned(key, governance.current().keys_of(SERVICE))
    provider = open_key_provider(settings.keys, mesh)
    demand_destroys_in_time(provider, governance.current().terms.retention)
    opener = OpenerProcess(settings.keys.folder, settings.keys.passphrase_file, mesh)
    audit = process.peers.stub(AuditLogServiceStub, "audit")
    ledger = Ledger(
        audit,
        governance=governance,
        actor=service_id(mesh, SERVICE),
        database=database,
        clock=clock,
        random_bytes=os.urandom,
    )
    public = recovery_public(database, provider, opener, mesh)
    crls = RevocationLists(settings.crls_folder, database, clock)
    core = Core(
        mesh=mesh,
        database=database,
        clock=clock,
        provider=provider,
        opener=opener,
        open_document=documents.open,
        governance=governance,
        log=ledger,
        journal=Journal(ledger, mesh, clock, public, key.sign),
        warrants=WarrantsPeer(process.peers),
        policies=PolicyFile(lambda: read_file(settings.policy_file, "policy file")),
        kept_policies=KeptPolicies(lambda: files_beside(settings.policy_file)),
        crls=crls.at_hand,
        sign=key.sign,
        draw=os.urandom,
    )
    beginning = genesis.LogBeginning(ledger, governance, telemetry)
    restoring = Restoring(core, audit, ledger.refresh, Reapplying(core, governance.catch_up))
    restoring.begin()
    comparing = RestoringThread(restoring, telemetry)
    servicer = CustodyServicer(
        mesh,
        DossierUseCases.of(core),
        UnmaskUseCases.of(core, encrypt_to),
        PeopleUseCases.of(core, governance, ledger.begin_under),
    )
    server = process.server(
        [functools.partial(add_CustodyServiceServicer_to_server, servicer)],
        RefusedCalls(ledger, clock, os.urandom),
    )
    checks = (("database", database), ("documents", documents), ("opener", opener))
    for name, one in (*checks, ("log", beginning), ("recovery", comparing)):
        server.health.register(name, one.check)
    server.health.tell_governance(lambda: governance.current().version)
    ledger_gauges.show(telemetry, database)
    gauges.show(telemetry, database, clock)
    telemetry.gauge(
        "revocation_list_expiry", lambda: crls.ends_ms(TrustPolicy.of(governance.current())) / 1000
    )
    flusher = Flusher(ledger, telemetry)
    keeper = KeeperThread(Keeper(core, telemetry), telemetry)
    beginning.start()
    comparing.start()
    flusher.start()
    keeper.start()
    try:
        server.serve_until_signalled()
    finally:
        keeper.close()
        flusher.close()
        comparing.close()
        beginning.close()
        opener.close()
        documents.close()
        process.peers.close()
        database.close()


def main() -> None:
    """Read the settings named on the command line and serve."""
    with refusals_end_the_process("garim-custody"):
        if migrated(sys.argv, MIGRATIONS, RIGHTS):
            return
        serve(load_settings(settings_path(sys.argv), CustodySettings))


if __name__ == "__main__":
    main()
