"""The masking engine beside other detectors, on the same lines: `make bench-redaction`.

The peers live in an environment of their own, `.garim/bench/peers`, made on demand from the exact versions
and hashes in `peers/*.txt` (`uv pip compile --generate-hashes`); nothing of it enters the project's lock.
Each detector is a process of its own, all on the same one core, one at a time; rounds go through the
detectors in turn, and the median counts, in processor seconds: other work on the machine weighs little.
A peer that cannot be installed or started is named and counted.
Everything is written to `.garim/bench/redaction.json`.

garim       patterns and a roster of 1,000 names (invented Korean ones, none chosen by the lines)
garim+open  the same and open names, by a detector that has seen no word when a pass begins
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import venv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib import resources
from itertools import islice, product
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from garim.cli.redact_score import ScoreOptions, gold_rows, read_predictions, score
from garim.importers import Message, open_chat

HERE = Path(__file__).parent
GOLD = Path("../shared/testdata/gold")
FOLDER = Path(".garim/bench/peers")
RESULTS = Path(".garim/bench/redaction.json")
OURS = ("garim", "garim+open")
PEERS = {
    "datafog": ("datafog", "datafog-core"),
    "presidio": ("presidio",),
    "maskingtape": ("maskingtape",),
    "ko-pii": ("ko-pii",),
}
"""Detectors by what is installed. datafog is measured by its own call, with its Rust engine, and that engine
is measured alone. Presidio's spaCy model is en_core_web_sm 3.8.0 as republished in the registry (MIT)."""
ROSTER = 1_000
PERSONS = frozenset({"PERSON", "name"})
"""What the detectors call a person."""
SCORED = {
    "ko_pii_generated": frozenset(
        [
            "PHONE",
            "RRN",
            "FRN",
            "EMAIL",
            "CARD",
            "VEHICLE",
            "DRIVER_LICENSE",
            "PASSPORT",
            "IP",
            "BUSINESS_REG",
            "ACCOUNT",
            "ADDRESS",
            "DT_BIRTH",
            "PERSON",
        ]
    ),
    "presidio_synth_v2": frozenset(
        ["EMAIL_ADDRESS", "CREDIT_CARD", "IBAN_CODE", "IP_ADDRESS", "US_SSN", "PHONE_NUMBER"]
    ),
    "klue_news": frozenset({"PS"}),
}
"""Gold sets, scored without a roster, and the types that count; others are ignored, in news plain text."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Texts a second of one detector on one set of lines.

    Attributes:
        lines: Name of the set.
        detector: Who.
        median: Over all rounds.
        slowest: Round.
        fastest: Round.
        ratios: Ours to this one, by each of ours; above 1 is faster than this one.
    """

    lines: str
    detector: str
    median: float
    slowest: float
    fastest: float
    ratios: dict[str, float]


def roster(size: int = ROSTER) -> list[str]:
    """Return invented Korean names: every surname with every given name, in turn."""
    surnames = "김이박최정강조윤장임한오서신권황안송류홍"
    first, second = "지민서하도예준현수유", "우연아준빈"
    given = ["".join(pair) for pair in product(first, second)]
    return [surname + name for surname, name in islice(product(surnames, given), size)]


def sets_of_lines(count: int) -> dict[str, list[str]]:
    """Return the lines to measure on; without the outside test data, the sample room."""
    if not GOLD.exists():
        with resources.as_file(resources.files("garim.testing") / "sample" / "room.txt") as path:
            own = [one.text for one in open_chat(path) if isinstance(one, Message)]
        return {"sample room": (own * (count // len(own) + 1))[:count]}
    korean = (GOLD / "songys_negatives.txt").read_text(encoding="utf-8").splitlines()
    irc = [row["text"] for row in _rows("irc_dev")]
    return {"Korean chat": spread(korean, count), "IRC": spread(irc, count)}


def spread(lines: Sequence[str], count: int) -> list[str]:
    """Return so many lines from all over, in order: neighbours in a file are alike."""
    return [lines[at * len(lines) // count] for at in range(count)] if count < len(lines) else list(lines)


def _rows(name: str) -> list[dict[str, Any]]:
    with (GOLD / f"{name}.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def install(peer: str) -> str:
    """Install one peer in the peers' environment; return why that failed, "" if it did not."""
    python = FOLDER / "bin" / "python"
    if not python.exists():
        venv.create(FOLDER, with_pip=True)
    options = [
        "--quiet",
        "--only-binary",
        ":all:",
        "--require-hashes",
        "-r",
        str(HERE / "peers" / f"{peer}.txt"),
    ]
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "install", *options]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return "" if done.returncode == 0 else _last_line(done.stderr)


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no reason given")


class Worker:
    """One detector in its own process.

    Args:
        detector: A name of `redaction_worker.DETECTORS`.
        core: The one core that it may use.
        people: Roster.
        sets: Lines by name.

    Raises:
        RuntimeError: It could not start, or ended.
    """

    def __init__(
        self, detector: str, core: int, people: Sequence[str], sets: Mapping[str, list[str]]
    ) -> None:
        quiet = {"DO_NOT_TRACK": "1", "DATAFOG_NO_TELEMETRY": "1", "OMP_NUM_THREADS": "1"}
        environment = {**os.environ, **quiet}
        python = sys.executable
        if detector not in OURS:
            python = str(FOLDER / "bin" / "python")
            environment.pop("PYTHONPATH", None)
        self._detector = detector
        self._process = subprocess.Popen(
            [python, str(HERE / "redaction_worker.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env=environment,
        )
        try:
            self._ask({"detector": detector, "core": core, "people": people, "sets": sets})
        except BaseException:
            self.close()
            raise

    def _ask(self, command: Mapping[str, Any]) -> Any:
        asked, answered = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answered is not None
        try:
            asked.write(json.dumps(command) + "\n")
            asked.flush()
        except BrokenPipeError:
            raise RuntimeError(f"{self._detector} has ended") from None
        if not (line := answered.readline()):
            raise RuntimeError(f"{self._detector} has ended with {self._process.wait()}")
        return json.loads(line)

    def speed(self, name: str, seconds: float) -> float:
        """Return texts a second over one set of lines, measured for at least so many seconds."""
        return float(self._ask({"run": name, "seconds": seconds}))

    def spans(self, texts: Sequence[str]) -> list[list[tuple[int, int, str]]]:
        """Return what is found in each text."""
        found: list[list[tuple[int, int, str]]] = self._ask({"spans": texts})
        return found

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def started(
    detectors: Iterable[str], people: Sequence[str], sets: Mapping[str, list[str]], ending: ExitStack
) -> tuple[dict[str, Worker], dict[str, str]]:
    """Start each detector; return those that run, and why the others do not."""
    core = max(os.sched_getaffinity(0))
    running: dict[str, Worker] = {}
    failed: dict[str, str] = {}
    for detector in detectors:
        try:
            running[detector] = worker = Worker(detector, core, people, sets)
        except RuntimeError as reason:
            failed[detector] = str(reason)
        else:
            ending.callback(worker.close)
    return running, failed


def rounds(
    workers: Mapping[str, Worker], sets: Iterable[str], count: int, seconds: float
) -> Iterator[tuple[str, str, float]]:
    """Yield set, detector and texts a second, detector by detector within each round."""
    for _ in range(count):
        for lines in sets:
            for detector, worker in workers.items():
                yield lines, detector, worker.speed(lines, seconds)


def speeds(measured: Mapping[tuple[str, str], Sequence[float]]) -> list[Speed]:
    """Return the medians, with ours as a ratio to each.

    Args:
        measured: Texts a second of each round, by set and detector.
    """
    medians = {key: statistics.median(values) for key, values in measured.items()}
    return [
        Speed(
            lines,
            detector,
            medians[lines, detector],
            min(values),
            max(values),
            {own: medians[lines, own] / medians[lines, detector] for own in OURS if (lines, own) in medians},
        )
        for (lines, detector), values in measured.items()
    ]


def scores(worker: Worker) -> dict[str, dict[str, Any]]:
    """Return what `garim redact score` counts, by gold set, and the rows touched where no row has a name."""
    reports = {}
    for name, wanted in SCORED.items():
        rows = gold_rows(_rows(name))
        others = frozenset(span["type"] for row in rows for span in row["spans"]) - wanted
        options = ScoreOptions(ignore_types=others)
        if name == "klue_news":
            options = ScoreOptions(gold_types=wanted, pred_types=PERSONS)
        reports[name] = score(rows, read_predictions(_predicted(worker, rows), options), options)
    lines = (GOLD / "songys_negatives.txt").read_text(encoding="utf-8").splitlines()
    empty = [{"id": number, "text": line, "spans": []} for number, line in enumerate(lines)]
    found = read_predictions(_predicted(worker, empty), ScoreOptions())
    reports["songys_negatives"] = score(empty, found, ScoreOptions())
    return reports


def _predicted(worker: Worker, rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for row, spans in zip(rows, worker.spans([row["text"] for row in rows]), strict=True):
        yield {"id": row["id"], "spans": [{"start": s, "end": e, "type": kind} for s, e, kind in spans]}


def speed_table(found: Iterable[Speed]) -> Table:
    """Return the figures as a table."""
    headings = ("lines", "detector", "texts/s", "spread", *(f"{own} ÷ it" for own in OURS))
    table = Table(*headings, title="one core, median of the rounds")
    for one in found:
        ratios = [f"{one.ratios[own]:,.2f}" if own in one.ratios else "" for own in OURS]
        spread_of = (one.fastest - one.slowest) / one.median
        table.add_row(one.lines, one.detector, f"{one.median:,.0f}", f"{spread_of:.0%}", *ratios)
    return table


def score_table(found: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Table:
    """Return recall and over-masking as a table."""
    table = Table("gold", "detector", "n", "recall", "over-masked", "clean rows hit", title="no roster")
    for name in [*SCORED, "songys_negatives"]:
        for detector, reports in found.items():
            report = reports[name]
            recall, over, touched = report["all"]["recall"], report["over_mask"], report["over_mask_rows"]
            shares = ["" if one is None else f"{one:.2%}" for one in (over, touched)]
            shown = "" if recall is None else f"{recall:.3f}"
            table.add_row(name, detector, str(report["all"]["n"]), shown, *shares)
    return table


def main() -> None:
    """Install, measure, score, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lines", type=int, default=4_000, help="of each set")
    parser.add_argument("--seconds", type=float, default=0.5, help="at least, for each figure of each round")
    asked = parser.parse_args()
    sets = sets_of_lines(asked.lines)
    measured: dict[tuple[str, str], list[float]] = {}
    scored: dict[str, dict[str, Any]] = {}
    load = [os.getloadavg()]
    with ExitStack() as ending:
        progress = ending.enter_context(Progress(console=Console(stderr=True), transient=True))
        installing = progress.add_task("installing the peers", total=len(PEERS))
        missing = {}
        for peer in PEERS:
            if reason := install(peer):
                missing[peer] = reason
            progress.advance(installing)
        names = [*OURS, *(one for peer, those in PEERS.items() if peer not in missing for one in those)]
        workers, failed = started(names, roster(), sets, ending)
        missing |= failed
        measuring = progress.add_task("measuring", total=asked.rounds * len(sets) * len(workers))
        for lines, detector, speed in rounds(workers, sets, asked.rounds, asked.seconds):
            measured.setdefault((lines, detector), []).append(speed)
            progress.advance(measuring)
        load.append(os.getloadavg())
        if GOLD.exists():
            # Without a roster: what a detector finds of people whom nobody named to it.
            unnamed, _ = started(workers, (), {}, ending)
            scoring = progress.add_task("scoring", total=len(unnamed))
            for detector, worker in unnamed.items():
                scored[detector] = scores(worker)
                progress.advance(scoring)
    found = speeds(measured)
    report = {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "load": {"before": load[0], "after": load[1]},
        "options": vars(asked),
        "peers_missing": missing,
        "texts_per_second": [asdict(one) for one in found],
        "scores": scored,
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2, ensure_ascii=False), encoding="utf-8")
    console = Console()
    console.print(speed_table(found))
    if scored:
        console.print(score_table(scored))
    console.print(f"{len(missing)} of {len(PEERS)} peers missing; load {load[0][0]:.1f} to {load[1][0]:.1f}")
    for peer, reason in missing.items():
        console.print(f"{peer}: {reason}", markup=False)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
