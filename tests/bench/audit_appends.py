"""How many entries a second the log takes: `PYTHONPATH=tests python tests/bench/audit_appends.py`.

Measured at the service's core on a fresh SQLite file, with 1 and with 8 threads, then a ledger above it: two
durable transactions of the caller for each entry.
"""

from __future__ import annotations

import concurrent.futures
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.audit.service import Entry
from garim.kit.clock import SystemClock
from garim.kit.ledger import Ledger
from garim.testing.governance import SampleGovernance
from ledger_support.core import CoreCaller, open_log, open_log_database
from ledger_support.mesh import CUSTODY, MESH, ORIGIN, WARRANTS, open_database

ENTRIES = 2_000


def _measure(name: str, threads: int, count: int, work: Callable[[int], object]) -> None:
    begun = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(count)))
    took = time.perf_counter() - begun
    sys.stdout.write(f"{name}, {threads} threads: {count / took:,.0f} a second\n")


def main() -> None:
    """Measure and print."""
    clock, key = SystemClock(), Ed25519PrivateKey.generate()
    governance = SampleGovernance(MESH, key, ORIGIN, clock.now_ms())
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder:
        log = open_log(open_log_database(Path(folder) / "audit.db"), key, governance.genesis, clock)
        ledgers = {
            actor: Ledger(
                CoreCaller(log, actor),
                governance=governance,
                actor=actor,
                database=open_database(Path(folder) / f"{number}.db"),
                clock=clock,
                random_bytes=os.urandom,
            )
            for number, actor in enumerate((CUSTODY, WARRANTS))
        }
        ledgers[CUSTODY].begin(governance.versions[0].document)

        def append(_number: int) -> object:
            entry = Entry("keys-released", os.urandom(32), clock.now_ms(), {"keys": 1}, None)
            return log.append(CUSTODY, entry, ledgers[CUSTODY].checkpoint_seen())

        for threads in (1, 8):
            _measure("appends at the core", threads, ENTRIES, append)
        warrants = ledgers[WARRANTS]
        for threads in (1, 8):
            _measure(
                "appends through a ledger",
                threads,
                ENTRIES // 4,
                lambda number, threads=threads: warrants.append("cancel", b"x", key=f"{threads} {number}"),
            )
        begun = time.perf_counter()
        log.check_stored()
        sys.stdout.write(f"check of all stored nodes: {time.perf_counter() - begun:.3f} s\n")


if __name__ == "__main__":
    main()
