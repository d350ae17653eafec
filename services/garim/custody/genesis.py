"""Custody's own view of governance, and its first start: version 1 verified, kept, and logged as leaf 0."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from garim.kit.files import read_file
from garim.kit.governance import GovernanceChain, Version
from garim.kit.governance_history import InForce
from garim.kit.governance_table import GovernanceTable
from garim.kit.ledger import Ledger
from garim.kit.telemetry import Telemetry, log_refusal
from garim.statements import dsse
from garim.statements.governance import Governance
from garim.statements.model import CheckpointSeen
from garim.statements.refusal import Kind, RefusedError

VERSION_FILE = "version-1.json"
DECISIONS_FILE = "decisions-1.json"


class OwnGovernance:
    """The versions in custody's database; every other service asks custody for them.

    Args:
        table: Where they are kept.
        mesh: Name of the mesh.
        genesis: SHA-256 of version 1 that the settings name, hexadecimal.

    Raises:
        RefusedError: The kept versions do not verify.
    """

    def __init__(self, table: GovernanceTable, mesh: str, genesis: str) -> None:
        self._table = table
        self._lock = threading.Lock()
        self._chain = GovernanceChain(mesh, genesis)
        for version in table.load():
            self._chain.take(version)

    def current(self) -> Governance:
        """Return the version in force.

        Raises:
            RefusedError: `GOVERNANCE_UNAVAILABLE`.
        """
        return self._chain.current()

    def log_genesis(self) -> str:
        """Return the SHA-256 of the version that leaf 0 of the log in force commits to, hexadecimal."""
        return self._chain.log_genesis()

    def carried_pins(self, origin: str) -> tuple[CheckpointSeen, ...] | None:
        """Return what was carried over from a log that another has succeeded; None for any other log."""
        return self._chain.carried_pins(origin)

    def ahead(self, version: Version) -> GovernanceChain:
        """Return the chain as it will be once the next version is in force; see `GovernanceChain.ahead`."""
        return self._chain.ahead(version)

    @property
    def height(self) -> int:
        """Number of the version in force; 0 while there is none."""
        return self._chain.height

    def version(self, number: int) -> Version | None:
        """Return a version by its number."""
        return self._chain.version(number)

    def history(self) -> tuple[InForce, ...]:
        """Return the versions with the time from which each is in force, in order."""
        return self._chain.history()

    def check(self, version: Version) -> Governance:
        """Return the next version if it may follow, without putting it in force.

        Raises:
            RefusedError: As `GovernanceChain.check`.
        """
        return self._chain.check(version)

    def check_logged(self, version: Version) -> Governance:
        """Return the next version if it may follow and is logged, without putting it in force.

        Raises:
            RefusedError: As `GovernanceChain.check_logged`.
        """
        return self._chain.check_logged(version)

    def put_in_force(self, version: Version) -> Governance:
        """Keep the next version durably, then put it in force; version 1, or one with its log proof.

        Raises:
            RefusedError: As `GovernanceChain.take`.
        """
        with self._lock:
            # What is kept must verify at the next start.
            document = self._chain.check_logged(version)
            self._table.append(document.version, version)
            return self._chain.take(version)

    def catch_up(self, version: Version) -> None:
        """Put a version in force that this database had lost; one that is in force already is passed over.

        Raises:
            RefusedError: As `put_in_force`.
        """
        known = self._chain.version(Governance.from_bytes(version.document).version)
        if known is None or known.document != version.document:
            self.put_in_force(version)


def begin(governance: OwnGovernance, folder: Path) -> None:
    """Put version 1 in force at the first start, from the files that `garim governance init` wrote.

    Args:
        governance: Custody's view.
        folder: Folder with `version-1.json` and `decisions-1.json`.

    Raises:
        RefusedError: `FILE_*`, `GOVERNANCE_FILE`, `GOVERNANCE_GENESIS`, `GOVERNANCE_QUORUM`.
    """
    if governance.height:
        return
    document = read_file(folder / VERSION_FILE, "governance version 1")
    try:
        listed = json.loads(read_file(folder / DECISIONS_FILE, "decisions on governance version 1"))
    except ValueError:
        raise _unreadable(folder) from None
    if not isinstance(listed, list):
        raise _unreadable(folder)
    governance.put_in_force(Version(document, tuple(dsse.from_json(one) for one in listed), None))


def _unreadable(folder: Path) -> RefusedError:
    return RefusedError(
        "GOVERNANCE_FILE", f"{folder / DECISIONS_FILE} is no list of decisions", kind=Kind.PRECONDITION
    )


class LogBeginning:
    """Logs version 1 as leaf 0 as soon as the log answers; until then custody is not ready.

    Args:
        ledger: Custody's end of the log.
        governance: Custody's view.
        telemetry: Where failures are logged.
        interval_s: Time between two attempts, in seconds.
    """

    def __init__(
        self, ledger: Ledger, governance: OwnGovernance, telemetry: Telemetry, interval_s: float = 1.0
    ) -> None:
        self._ledger = ledger
        self._governance = governance
        self._telemetry = telemetry
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="genesis", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join(timeout=10)

    def check(self) -> None:
        """Return once the log begins with our governance; for `health.Health.register`.

        Raises:
            RefusedError: `LOG_UNAVAILABLE`.
        """
        if not self._done.is_set():
            raise RefusedError("LOG_UNAVAILABLE", "the log has not begun yet", kind=Kind.UNAVAILABLE)

    def attempt(self) -> None:
        """Begin the log if it is empty, or pin its newest checkpoint.

        Raises:
            RefusedError: Those of the ledger.
        """
        first = self._governance.version(1)
        if first is not None and self._ledger.checkpoint_seen() is None:
            self._ledger.begin(first.document)
        self._ledger.refresh()
        self._done.set()

    def _run(self) -> None:
        while not self._stop.is_set() and not self._done.is_set():
            try:
                self.attempt()
            except RefusedError as error:
                log_refusal(self._telemetry, "log_not_begun", error)
                self._stop.wait(self._interval_s)
