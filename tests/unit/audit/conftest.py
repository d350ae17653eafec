from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.audit.service import Appended, Entry, TransparencyLog
from garim.kit.db import Database
from garim.statements.model import CheckpointSeen
from garim.testing.clock import ManualClock
from garim.translog.leaf import ZERO_SALT, commitment
from ledger_support.core import open_log, open_log_database
from ledger_support.mesh import CUSTODY, NOW_MS

GOVERNANCE = b"governance"


@dataclasses.dataclass
class Served:
    """A log with its database, which can be opened again as after a crash."""

    path: Path
    clock: ManualClock
    key: Ed25519PrivateKey
    database: Database
    log: TransparencyLog

    def append(self, body: bytes, pin: CheckpointSeen | None = None) -> Appended:
        entry = Entry("cancel", commitment(bytes(32), body), self.clock.now_ms(), {}, None)
        return self.log.append(CUSTODY, entry, pin)

    def reopen(self, wait_for: tuple[str, ...] = ()) -> None:
        self.database.close()
        self.database = open_log_database(self.path)
        genesis = hashlib.sha256(GOVERNANCE).hexdigest()
        self.log = open_log(self.database, self.key, genesis, self.clock, wait_for)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    path = tmp_path / "audit.db"
    database = open_log_database(path)
    clock = ManualClock(NOW_MS)
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    log = open_log(database, key, hashlib.sha256(GOVERNANCE).hexdigest(), clock)
    served = Served(path, clock, key, database, log)
    log.append(CUSTODY, Entry("genesis", commitment(ZERO_SALT, GOVERNANCE), NOW_MS, {}, None), None)
    yield served
    served.database.close()
