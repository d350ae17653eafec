"""Ledgers of several services around one log."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.kit.db import Database
from garim.kit.governance import GovernanceView
from garim.kit.identity import service_id
from garim.kit.ledger import AuditLog, Ledger, tables
from garim.testing.audit import FakeAudit, FakeAuditCaller
from garim.testing.clock import ManualClock
from garim.testing.governance import SampleGovernance

MESH = "test.mesh"
ORIGIN = "log.test.mesh/garim"
NOW_MS = 1_790_000_000_000
CUSTODY = service_id(MESH, "custody")
WARRANTS = service_id(MESH, "warrants")


def counter_bytes(seed: str) -> Callable[[int], bytes]:
    """Return a source of reproducible bytes, never the same twice."""
    drawn = 0

    def draw(count: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.shake_256(f"{seed}/{drawn}".encode()).digest(count)

    return draw


def open_database(path: Path) -> Database:
    database = Database(path)
    with database.writing() as connection:
        tables.create_all(connection)
    return database


def open_ledger(
    log: AuditLog, governance: GovernanceView, actor: str, database: Database, clock: ManualClock
) -> Ledger:
    return Ledger(
        log,
        governance=governance,
        actor=actor,
        database=database,
        clock=clock,
        random_bytes=counter_bytes(f"{actor} {clock.now_ms()} {id(database)}"),
    )


class LedgerMesh:
    """Custody and warrants with a ledger each, around a fake log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock(NOW_MS)
        self.key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
        self.audit = FakeAudit(MESH, ORIGIN, self.clock, key=self.key)
        self.governance = SampleGovernance(MESH, self.key, ORIGIN, NOW_MS)
        self.databases: dict[str, Database] = {}
        self.callers: dict[str, FakeAuditCaller] = {}
        self.custody = self.open("custody")
        self.warrants = self.open("warrants")

    def open(self, service: str) -> Ledger:
        """Open the ledger of a service; again for one that has restarted."""
        if service in self.databases:
            self.databases[service].close()
        database = self.databases[service] = open_database(self.folder / f"{service}.db")
        actor = service_id(MESH, service)
        caller = self.callers[service] = FakeAuditCaller(self.audit, actor)
        return open_ledger(caller, self.governance, actor, database, self.clock)

    def begin(self) -> None:
        """Log genesis and let both pin it."""
        self.custody.begin(self.governance.versions[0].document)
        self.warrants.refresh()

    def close(self) -> None:
        for database in self.databases.values():
            database.close()
