"""One scenario's run: faults are counted, cases are taken to their end, all is checked, figures kept."""

from __future__ import annotations

import json
import random
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from faults_support import checks
from faults_support.cases import Disclosed, disclose, unmask
from faults_support.ingest import Ingest
from faults_support.mesh import FaultMesh

REPORTS = Path(".garim/faults")


@dataclass
class Figures:
    """What a scenario reports.

    Attributes:
        scenario: Its name.
        seed: Of everything it drew at random.
        rounds: How many were run to their end.
        faults: How many were injected, by kind.
        restarts: Processes that ended and were started again, by service.
        acknowledged: Messages that the store has acknowledged and whose dossier was compared with them.
        disclosures: Dossiers delivered.
        unmaskings: Second requests answered.
        losses: Acknowledged messages that are in no dossier.
        duplicates: Messages that are in a dossier twice, or in one that does not cover them.
        stuck: Cases, dossiers and requests that have not reached their end.
        without_entry: Releases without their entry in the log.
        entries: Of the log, which was verified from its first.
        log_verifies: Whether it did.
        outage_ingest_s: Longest time between two acknowledgements.
        outage_case_s: Longest time that a disclosure or second request took, faults included.
        seconds: Of the whole run.
    """

    scenario: str
    seed: int
    rounds: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    restarts: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    disclosures: int = 0
    unmaskings: int = 0
    losses: int = 0
    duplicates: int = 0
    stuck: int = 0
    without_entry: int = 0
    entries: int = 0
    log_verifies: bool = False
    outage_ingest_s: float = 0.0
    outage_case_s: float = 0.0
    seconds: float = 0.0

    def write(self) -> None:
        """Write them where the report finds them."""
        REPORTS.mkdir(parents=True, exist_ok=True)
        text = json.dumps(vars(self), ensure_ascii=False, indent=1)
        (REPORTS / f"{self.scenario}.json").write_text(text + "\n", encoding="utf-8")


class Run:
    """A scenario on a running mesh with a back end that never stops.

    Args:
        scenario: Its name.
        mesh: The mesh.
        ingest: The back end.
        folder: Where packages are delivered.
        seed: Of what is drawn at random.
    """

    def __init__(self, scenario: str, mesh: FaultMesh, ingest: Ingest, folder: Path, seed: int) -> None:
        self.mesh = mesh
        self.ingest = ingest
        self.random = random.Random(seed)
        self.figures = Figures(scenario, seed)
        self._folder = folder
        self._begun = time.monotonic()
        self._last: Disclosed | None = None
        sys.stdout.write(f"\n{scenario}: seed {seed}\n")

    def fault(self, kind: str) -> None:
        """Count an injected fault."""
        self.figures.faults[kind] += 1

    def disclose(self) -> None:
        """Disclose all that is not disclosed yet, and compare the dossier with what was acknowledged."""
        block = self.ingest.turn()
        self._last = disclose(self.mesh, block, self._folder)
        figures = self.figures
        figures.acknowledged += len(block.sent)
        figures.disclosures += 1
        figures.losses += self._last.lost
        figures.duplicates += self._last.doubled + self._last.foreign
        figures.outage_case_s = max(figures.outage_case_s, round(self._last.seconds, 1))

    def unmask(self) -> None:
        """Ask for one identity of the newest dossier."""
        assert self._last is not None
        seconds = unmask(self.mesh, self._last)
        self.figures.unmaskings += 1
        self.figures.outage_case_s = max(self.figures.outage_case_s, round(seconds, 1))

    def during(self, case: Callable[[], None], faults: Callable[[], None]) -> None:
        """Let faults happen while a case is on its way, and wait for both."""
        with ThreadPoolExecutor(1) as clerk:
            way = clerk.submit(case)
            faults()
            way.result()

    def end(self) -> Figures:
        """Disclose the rest, check everything, write the figures, and demand that nothing is amiss."""
        self.disclose()
        self.unmask()
        checks.settled(self.mesh)
        figures = self.figures
        figures.stuck = checks.stuck(self.mesh)
        figures.without_entry = checks.releases_without_entry(self.mesh)
        figures.entries, figures.log_verifies = checks.verifies(self.mesh)
        self.note()
        amiss = (figures.losses, figures.duplicates, figures.stuck, figures.without_entry)
        assert amiss == (0, 0, 0, 0), vars(figures)
        assert figures.log_verifies
        return figures

    def note(self) -> None:
        """Write the figures as they stand."""
        figures = self.figures
        figures.restarts = Counter(self.mesh.exits)
        figures.outage_ingest_s = round(self.ingest.longest_gap_s, 1)
        figures.seconds = round(time.monotonic() - self._begun, 1)
        figures.write()


def seed_of(text: str | None) -> int:
    """Return the seed that was asked for, or a new one."""
    return int(text) if text else secrets.randbelow(10**9)


def every(number: int, period: int) -> bool:
    """Tell whether something that happens once in a period happens now."""
    return number % period == period - 1


Begin = Callable[..., AbstractContextManager[Run]]
"""Starts a mesh with its back end: `begin(database=None, prepare=…)`."""
