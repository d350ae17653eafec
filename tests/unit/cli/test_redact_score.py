"""`garim redact score` counts what its documentation defines, and agrees with the shared scorer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from garim.cli.main import app

SHARED = Path(__file__).parents[4] / "shared" / "testdata"
ROWS_OF_A_SET = 150


def written(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def run(*args: object) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["redact", "score", *map(str, args), "--json"])
    value: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == (1 if "error" in value else 0)
    return value


GOLD = (
    {"id": 1, "text": "하나 01000004416", "spans": [
        {"start": 0, "end": 2, "type": "PERSON", "tier": "inline"},
        {"start": 3, "end": 14, "type": "PHONE"},
    ], "src": "a"},
    {"id": 2, "text": "I am @ home", "spans": [
        {"start": 0, "end": 1, "type": "PERSON", "tier": "ambiguous"},
        {"start": 5, "end": 6, "type": "PERSON", "tier": "inline"},
    ], "src": "b"},
    {"id": 3, "text": "nothing", "spans": [], "src": "b"},
    {"comment": "no row"},
)  # fmt: skip
PREDICTED = (
    {"id": 1, "spans": [{"start": 0, "end": 1, "type": "X"}, {"start": 3, "end": 14, "type": "PHONE"}]},
    {"id": 2, "spans": [{"start": 0, "end": 1, "type": "X"}, {"start": 9, "end": 20, "type": "X"}]},
    {"id": 9, "spans": []},
    {"seconds": 0.5},
)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return written(tmp_path / "gold.jsonl", *GOLD), written(tmp_path / "predicted.jsonl", *PREDICTED)


def test_each_figure_is_what_its_definition_says(files: tuple[Path, Path]) -> None:
    report = run(*files)
    person = {"n": 2, "covered": 0, "partial": 1, "recall": 0.0, "leak_rate": 1.0}
    assert report["types"]["PERSON"] == person
    assert report["types"]["PHONE"]["digits_recall"] == 1.0
    assert report["ignored"] == {"n": 1, "touched": 1}
    assert report["over_mask"] == round(2 / 32, 5)
    assert (report["rows_without_gold"], report["over_mask_rows"]) == (1, 0.0)
    assert (report["rows_without_prediction"], report["bad_predicted_spans"]) == (1, 1)
    assert (report["texts_per_s"], report["predictions_for_unknown_ids"]) == (6.0, 1)
    assert report["tiers"] == {"inline": {"n": 2, "covered": 0, "recall": 0.0, "leak_rate": 1.0}}


def test_a_table_is_for_people(files: tuple[Path, Path]) -> None:
    result = CliRunner().invoke(
        app, ["redact", "score", *map(str, files), "--group-by", "src", "--misses", "1"]
    )
    assert result.exit_code == 0
    assert "leak_rate" in result.stdout
    assert result.stdout.count("PERSON") > 3


def test_without_predictions_the_engine_is_scored(tmp_path: Path) -> None:
    text = "지민님 안녕하세요"
    gold = {"id": 1, "text": text, "room": "r", "spans": [{"start": 0, "end": 2, "type": "PERSON"}]}
    people = tmp_path / "people.json"
    people.write_text(json.dumps({"r": ["지민"]}))
    report = run(written(tmp_path / "gold.jsonl", gold), "--participants", people)
    assert report["all"]["recall"] == 1.0
    assert report["seconds"] >= 0


@pytest.mark.parametrize(
    "gold",
    [
        ({"id": 1, "text": "a", "spans": []}, {"id": 1, "text": "b", "spans": []}),
        ({"id": 1, "text": "a", "spans": [{"start": 0, "end": 2, "type": "X"}]},),
        ({"id": 1, "text": "a", "spans": [{"start": "0", "end": 1, "type": "X"}]},),
    ],
)
def test_gold_that_cannot_be_counted_is_refused(tmp_path: Path, gold: tuple[Any, ...]) -> None:
    files = written(tmp_path / "gold.jsonl", *gold), written(tmp_path / "p.jsonl", *PREDICTED)
    assert run(*files)["error"]["reasons"][0]["reason"] == "ROW_MALFORMED"


OPTIONS = (
    ("irc_dev.jsonl", ["--group-by", "room", "--misses", "5"]),
    ("irc_dev.jsonl", ["--plain-tiers", "ambiguous", "--pred-types", "PERSON"]),
    ("irc_dev.jsonl", ["--ignore-tiers", "", "--skip-symbol-spans"]),
    ("ko_pii_generated.jsonl", ["--drop-pred-types", "PERSON", "--ignore-types", "PERSON", "--misses", "3"]),
    ("ko_pii_generated.jsonl", ["--gold-types", "PHONE,ACCOUNT", "--group-by", "src"]),
    ("klue_news.jsonl", ["--gold-types", "PS", "--misses", "2"]),
    ("tatoeba_ko_names.jsonl", []),
    ("presidio_synth_v2.jsonl", ["--group-by", "lang"]),
    ("wnut17_dev.jsonl", []),
    ("uner_ewt_dev.jsonl", ["--skip-symbol-spans"]),
)


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "score.py").is_file(), reason="needs the outside test data")
@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_it_agrees_with_the_shared_scorer_to_the_digit(tmp_path: Path, name: str, options: list[str]) -> None:
    lines = (SHARED / "gold" / name).read_text().splitlines()[:ROWS_OF_A_SET]
    gold, predicted = tmp_path / "gold.jsonl", tmp_path / "predicted.jsonl"
    gold.write_text("\n".join(lines) + "\n")
    assert CliRunner().invoke(app, ["redact", "scan", str(gold), str(predicted)]).exit_code == 0
    # A detector that leaves rows out, and one that points outside a text, are counted alike too.
    rows = predicted.read_text().splitlines()
    rows[3] = json.dumps({"id": json.loads(rows[3])["id"], "spans": [{"start": -1, "end": 10_000}]})
    predicted.write_text("\n".join([*rows[:7], *rows[8:]]) + "\n")
    theirs = subprocess.run(
        [sys.executable, SHARED / "score.py", gold, predicted, *options], capture_output=True, check=True
    )
    assert run(gold, predicted, *options) == json.loads(theirs.stdout)
