"""Fit the weights of `garim.masking.open_names` on the development gold sets, and nothing else.

`PYTHONPATH=tests python tests/bench/fit_open_names.py [--write]` cross-validates (five parts, each judged by
weights that never saw it), prints recall and over-masking for a range of thresholds by register, and with
`--write` fits on everything and writes `weights.json`. Needs the outside test data.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from garim.masking.normalise import Batch
from garim.masking.open_names.candidates import Candidate, candidates
from garim.masking.open_names.features import features, register_of
from garim.masking.open_names.korean_names import FIRST_LOOK, choose
from garim.masking.open_names.morphemes import cut
from garim.masking.open_names.neighbours import agree, log_odds, look_around

ROOT = Path(__file__).parents[2]
GOLD = ROOT.parent / "shared" / "testdata" / "gold"
TARGET = ROOT / "services" / "garim" / "masking" / "open_names" / "weights.json"
PARTS = 5
PENALTY = 1.0
ROUNDS = 12
THRESHOLDS = {"prose": 0.04, "form": 0.15, "chat": 0.6}

Array = NDArray[np.float64]


@dataclass
class Sample:
    """One text with its gold names, its candidates and what describes them."""

    source: str
    text: str
    gold: list[tuple[int, int]]
    register: str
    found: list[Candidate]
    described: list[set[str]]

    def labels(self) -> list[bool]:
        words = {(start, end) for span in self.gold for start, end in _words(self.text, *span)}
        return [(one.start, one.end) in words for one in self.found]


def _words(text: str, start: int, end: int) -> list[tuple[int, int]]:
    parts, at = [], start
    for word in text[start:end].split():
        at = text.index(word, at)
        parts.append((at, at + len(word)))
        at += len(word)
    return parts


def read(name: str, kind: str) -> list[Sample]:
    """Read a gold set; every line is a text without names where it is no JSON."""
    path = GOLD / name
    lines = path.read_text("utf-8").splitlines()
    rows = (
        [json.loads(line) for line in lines] if path.suffix == ".jsonl" else [{"text": one} for one in lines]
    )
    rows = [row for row in rows if "text" in row]
    folded = [Batch([row["text"]]).texts[0] for row in rows]
    samples = []
    for row, text, morphemes in zip(rows, folded, cut(folded), strict=True):
        if len(text) != len(row["text"]):
            continue
        spans = [(one["start"], one["end"]) for one in row.get("spans", []) if one["type"] == kind]
        found, register = list(candidates(text, morphemes)), register_of(text)
        described = [features(text, one, register) for one in found]
        samples.append(Sample(path.stem, text, spans, register, found, described))
    return samples


def fit(rows: list[set[str]], extra: list[float], labels: list[bool]) -> dict[str, float]:
    """Return the weights of a logistic regression with an L2 penalty, by Newton's method."""
    names = sorted({name for row in rows for name in row})
    column = {name: at for at, name in enumerate(names)}
    matrix = np.zeros((len(rows), len(names) + 1), dtype=np.float32)
    for at, row in enumerate(rows):
        matrix[at, [column[name] for name in row]] = 1
    matrix[:, -1] = extra
    truth = np.asarray(labels, dtype=np.float64)
    weights = np.zeros(len(names) + 1)
    for _ in range(ROUNDS):
        likely = 1 / (1 + np.exp(-np.clip(matrix @ weights, -30, 30)))
        slope = matrix.T @ (likely - truth) + PENALTY * weights
        bend = (matrix * (likely * (1 - likely))[:, None].astype(np.float32)).T @ matrix
        weights -= np.linalg.solve(bend + PENALTY * np.eye(len(weights)), slope)
    fitted = {name: round(float(weights[at]), 3) for name, at in column.items()}
    return {name: value for name, value in fitted.items() if value} | {
        FIRST_LOOK: round(float(weights[-1]), 3)
    }


def judged(rows: list[set[str]], extra: list[float], weights: dict[str, float]) -> list[float]:
    """Return the probability of each row."""
    carry = weights[FIRST_LOOK]
    scores = [
        carry * more + sum(weights.get(name, 0.0) for name in row)
        for row, more in zip(rows, extra, strict=True)
    ]
    return [float(one) for one in 1 / (1 + np.exp(-np.clip(np.asarray(scores), -30, 30)))]


def train(samples: list[Sample]) -> dict[str, dict[str, float]]:
    """Fit both looks."""
    rows = [row for one in samples for row in one.described]
    labels = [label for one in samples for label in one.labels()]
    first = fit(rows, [0.0] * len(rows), labels)
    seconds, extras = [], []
    for one in samples:
        likely = judged(one.described, [0.0] * len(one.found), first)
        seconds += look_around(one.text, one.found, one.described, likely)
        extras += [log_odds(value) for value in likely]
    second = fit(seconds, extras, labels)
    first.pop(FIRST_LOOK)
    return {"first": first, "second": second, "thresholds": THRESHOLDS}


def apply(sample: Sample, fitted: dict[str, dict[str, float]]) -> list[float]:
    """Return the probabilities of a sample's candidates."""
    likely = judged(sample.described, [0.0] * len(sample.found), fitted["first"] | {FIRST_LOOK: 0.0})
    looked = look_around(sample.text, sample.found, sample.described, likely)
    again = judged(looked, [log_odds(value) for value in likely], fitted["second"])
    return agree(sample.text, sample.found, again)


def report(samples: list[Sample], results: list[list[float]]) -> None:
    """Print recall, over-masked characters and touched rows without names, by source and register."""
    for source in sorted({one.source for one in samples}):
        for register in ("prose", "form", "chat", "chosen"):
            chosen = [
                (one, result)
                for one, result in zip(samples, results, strict=True)
                if one.source == source and register in {one.register, "chosen"}
            ]
            for threshold in (
                (0.02, 0.025, 0.03, 0.04, 0.05, 0.08, 0.15, 0.3) if register != "chosen" else (None,)
            ):
                line = measure(chosen, threshold)
                sys.stdout.write(f"{source:20} {register:6} {threshold or '':5} {line}\n")


def measure(chosen: list[tuple[Sample, list[float]]], threshold: float | None) -> str:
    """Return the figures of one threshold, or of those by register."""
    names = covered = over = characters = empty = touched = 0
    for one, result in chosen:
        limit = THRESHOLDS[one.register] if threshold is None else threshold
        masked = {at for each in choose(one.found, result, limit) for at in range(each.start, each.end)}
        gold = {at for start, end in one.gold for at in range(start, end)}
        names += len(one.gold)
        covered += sum(
            all(at in masked or one.text[at].isspace() for at in range(*span)) for span in one.gold
        )
        over += len(masked - gold)
        characters += len(one.text)
        empty += not one.gold
        touched += not one.gold and bool(masked)
    recall = covered / names if names else float("nan")
    return (
        f"texts {len(chosen):5} names {names:5} recall {recall:.3f} over {over / max(characters, 1):.4f} "
        f"rows without names touched {touched / max(empty, 1):.4f}"
    )


def main() -> None:
    """Cross-validate, and write the weights where told to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="fit on everything and write weights.json")
    options = parser.parse_args()
    samples = [
        *read("klue_news.jsonl", "PS"),
        *read("ko_pii_generated.jsonl", "PERSON"),
        *read("songys_negatives.txt", ""),
    ]
    order = list(range(len(samples)))
    random.Random(0).shuffle(order)
    results: list[list[float]] = [[] for _ in samples]
    for part in range(PARTS):
        fitted = train([samples[at] for place, at in enumerate(order) if place % PARTS != part])
        for place, at in enumerate(order):
            if place % PARTS == part:
                results[at] = apply(samples[at], fitted)
    report(samples, results)
    if options.write:
        TARGET.write_text(
            json.dumps(train(samples), ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8"
        )


if __name__ == "__main__":
    main()
