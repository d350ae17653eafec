"""Take out each security check in turn, in a copy of the tree, and demand that a test turns red.

    python tests/removals/run.py [--only TEXT] [--workers N] [--json]

Ends with status 1 where a check can go unnoticed, where a row no longer fits the source, or where its tests
fail with the check in place.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from rich.console import Console
from rich.table import Table
from rich.text import Text

from removals.table import ROOT, Removal, read_table

LONGEST_S = 300
WIDTH = 160
PASSED, FAILED = 0, 1
_FAILURES = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one row.

    Attributes:
        row: The check.
        result: `red` as it must be; `GREEN`: no test misses the check; `STALE`: the snippet does not occur
            exactly once; `BROKEN`: pytest could not run the tests, or they fail with the check in place.
        seconds: How long its tests took.
        detail: The first test that failed, or the end of what pytest said.
    """

    row: Removal
    result: str
    seconds: float
    detail: str

    def to_json(self) -> dict[str, object]:
        """Return it as JSON."""
        return {
            "id": self.row.id,
            "invariant": self.row.invariant,
            "check": self.row.check,
            "file": self.row.file,
            "result": self.result,
            "seconds": round(self.seconds, 1),
            "detail": self.detail,
        }


class Copy:
    """A copy of the tree in which checks are taken out.

    Args:
        folder: A new folder.
    """

    def __init__(self, folder: Path) -> None:
        self._root = folder / "copy"
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git of this machine
            cwd=ROOT,
            check=True,
            capture_output=True,
        ).stdout
        for name in filter(None, listed.decode().split("\0")):
            if (ROOT / name).is_file():
                target = self._root / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target)
        self._scratch = folder / "tmp"
        self._scratch.mkdir()
        self._stamp = int(time.time()) - 500_000

    def pytest(self, tests: Sequence[str], *options: str) -> tuple[int, str]:
        """Run tests; returns pytest's status and what it said."""
        environment = {
            **os.environ,
            "PYTHONPATH": f"{self._root / 'services'}:{self._root / 'tests'}",
            "TMPDIR": str(self._scratch),
        }
        command = [sys.executable, "-m", "pytest", *options, "-q", "--tb=no", "-p", "no:xdist", *tests]
        try:
            done = subprocess.run(
                command,
                cwd=self._root,
                env=environment,
                capture_output=True,
                text=True,
                timeout=LONGEST_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return -1, f"took longer than {LONGEST_S} seconds"
        return done.returncode, done.stdout + done.stderr

    def without(self, row: Removal) -> Outcome:
        """Take a check out, run its tests, put it back."""
        if row.occurrences(self._root) != 1:
            return Outcome(row, "STALE", 0, f"the snippet occurs {row.occurrences(self._root)} times")
        path = self._root / row.file
        source = path.read_text(encoding="utf-8")
        begun = time.monotonic()
        try:
            self._write(path, row.removed(source))
            status, said = self.pytest(row.tests, "-x")
        finally:
            self._write(path, source)
        seconds = time.monotonic() - begun
        if status == FAILED:
            failed = _FAILURES.findall(said)
            return Outcome(row, "red", seconds, failed[0] if failed else "")
        tail = " | ".join(said.strip().splitlines()[-3:])
        return Outcome(row, "GREEN" if status == PASSED else "BROKEN", seconds, tail)

    def _write(self, path: Path, source: str) -> None:
        path.write_text(source, encoding="utf-8")
        # Compiled code is found again by whole seconds and size: each state gets a time of its own.
        self._stamp += 1
        os.utime(path, (self._stamp, self._stamp))


def run(rows: Sequence[Removal], workers: int, done: Callable[[Outcome], None]) -> list[Outcome]:
    """Try all rows, each worker in a copy of its own.

    Args:
        rows: What to take out.
        workers: How many copies.
        done: Told each outcome.
    """
    waiting: queue.SimpleQueue[Removal] = queue.SimpleQueue()
    for row in rows:
        waiting.put(row)
    outcomes: list[Outcome] = []

    def work(folder: Path) -> None:
        copy = Copy(folder)
        while True:
            try:
                row = waiting.get_nowait()
            except queue.Empty:
                return
            outcome = copy.without(row)
            outcomes.append(outcome)
            done(outcome)

    with tempfile.TemporaryDirectory(prefix="garim-removals-") as scratch:
        folders = [Path(scratch) / str(number) for number in range(workers)]
        threads = []
        for folder in folders:
            folder.mkdir()
            threads.append(threading.Thread(target=work, args=(folder,)))
            threads[-1].start()
        for thread in threads:
            thread.join()
        return [*_already_red(rows, Path(scratch)), *sorted(outcomes, key=lambda one: rows.index(one.row))]


def _already_red(rows: Sequence[Removal], scratch: Path) -> list[Outcome]:
    """Return rows whose tests fail with every check in place: their red would show nothing."""
    folder = scratch / "whole"
    folder.mkdir()
    copy = Copy(folder)
    status, said = copy.pytest(sorted({test for row in rows for test in row.tests}))
    if status == PASSED:
        return []
    failed = _FAILURES.findall(said)
    detail = f"fails with the check in place: {', '.join(failed[:3]) or said[-200:]}"
    broken = [row for row in rows if any(one.startswith(row.tests) for one in failed)]
    return [Outcome(row, "BROKEN", 0, detail) for row in (broken if failed else rows)]


def show(console: Console, outcomes: Sequence[Outcome]) -> None:
    """Print a table of all outcomes."""
    table = Table("check", "invariant", "result", "first red test", pad_edge=False)
    for one in outcomes:
        style = "green" if one.result == "red" else "bold red"
        table.add_row(
            f"{one.row.id}: {one.row.check}", str(one.row.invariant), Text(one.result, style), one.detail
        )
    console.print(table)


def main() -> int:
    """Run; returns the status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="", help="only rows whose id or file holds this")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    options = parser.parse_args()
    rows = [row for row in read_table() if options.only in row.id or options.only in row.file]
    errors = Console(stderr=True)

    def told(outcome: Outcome) -> None:
        errors.print(
            f"{outcome.result:6} {outcome.row.id} ({outcome.seconds:.1f} s) {outcome.detail}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )

    outcomes = run(rows, options.workers, told)
    wrong = [one for one in outcomes if one.result != "red"]
    if options.json:
        print(json.dumps({"rows": [one.to_json() for one in outcomes], "wrong": len(wrong)}, indent=2))  # noqa: T201 - its output
    else:
        console = Console()
        console.width = max(console.width, WIDTH)
        show(console, outcomes)
        console.print(f"{len(rows)} checks taken out, {len(wrong)} not as expected", highlight=False)
    return 1 if wrong or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
