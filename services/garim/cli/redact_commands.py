"""`garim redact`: the masking engine offline, with the code that the service uses."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from garim.cli.files import replacing
from garim.cli.options import JsonOption
from garim.cli.output import emit, err, facts, out, plain, rows_table
from garim.cli.redact_rows import Participants, json_rows
from garim.cli.redact_score import Predictions, ScoreOptions, gold_rows, read_predictions, score
from garim.cli.redact_try import Trial, as_object, coloured, legend
from garim.masking.open_names.every_name import EveryName
from garim.masking.open_names.spacy_names import SpacyNames
from garim.masking.scan_rows import scan_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from garim.masking.infotype import InfoType

app = typer.Typer(no_args_is_help=True, help="The masking engine, offline.")

ParticipantsOption = Annotated[
    str,
    typer.Option(
        "--participants", help="Who takes part: names parted by commas, or a file (a name a line, or JSON)."
    ),
]


@app.callback()
def group() -> None:
    """The masking engine, offline."""


@app.command()
def scan(
    source: Annotated[
        Path, typer.Argument(metavar="IN.jsonl", help="Rows {id, text, participants?, sender?}.")
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT.jsonl", help="Rows {id, spans} are written here.")],
    spacy: Annotated[
        str,
        typer.Option("--spacy", help="Also ask this installed spaCy pipeline for names (garim[spacy])."),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Find what would be masked in each row; no text is written."""
    open_names = EveryName(SpacyNames(spacy)) if spacy else EveryName()
    rows = spans = 0
    with source.open("rb") as lines, replacing(target) as written:
        started = time.perf_counter()
        for row in scan_rows(json_rows(lines), open_names=open_names):
            rows += 1
            spans += len(row["spans"])
            _write(written, row)
        seconds = time.perf_counter() - started
        _write(written, {"seconds": round(seconds, 6)})
    figures = {"rows": rows, "spans": spans, "seconds": round(seconds, 3)}
    emit(as_json, figures, lambda console: console.print(facts(figures.items())))


def _write(target: IO[bytes], row: dict[str, Any]) -> None:
    target.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def _listed(value: str) -> frozenset[str]:
    return frozenset(one for one in value.split(",") if one)


@app.command("score")
def score_command(
    gold: Annotated[Path, typer.Argument(metavar="GOLD.jsonl", help="Rows {id, text, spans}.")],
    predictions: Annotated[
        Path | None, typer.Argument(metavar="[PRED.jsonl]", help="Rows {id, spans}; without, it scans first.")
    ] = None,
    gold_types: Annotated[str, typer.Option(help="Only these types are gold (A,B).")] = "",
    ignore_types: Annotated[str, typer.Option(help="Types that are neither leak nor hit.")] = "",
    pred_types: Annotated[str, typer.Option(help="Only predictions of these types.")] = "",
    drop_pred_types: Annotated[str, typer.Option(help="No predictions of these types.")] = "",
    ignore_tiers: Annotated[str, typer.Option(help="Tiers that are neither leak nor hit.")] = "ambiguous",
    plain_tiers: Annotated[str, typer.Option(help="Tiers that are plain text.")] = "",
    skip_symbol_spans: Annotated[
        bool, typer.Option("--skip-symbol-spans", help="Ignore gold spans without letter or digit.")
    ] = False,
    group_by: Annotated[str, typer.Option(help="Report for each value of this field, too.")] = "",
    misses: Annotated[int, typer.Option(min=0, help="List so many leaks and over-masked rows.")] = 0,
    participants: ParticipantsOption = "",
    as_json: JsonOption = False,
) -> None:
    """Score predicted masks against gold spans: recall and leaks by type, over-masking, speed."""
    options = ScoreOptions(
        gold_types=_listed(gold_types) or None,
        ignore_types=_listed(ignore_types),
        pred_types=_listed(pred_types) or None,
        drop_pred_types=_listed(drop_pred_types),
        ignore_tiers=_listed(ignore_tiers),
        plain_tiers=_listed(plain_tiers),
        skip_symbol_spans=skip_symbol_spans,
        group_by=group_by,
        misses=misses,
    )
    with gold.open("rb") as lines:
        rows = gold_rows(json_rows(lines))
    if predictions is None:
        found = _scanned(rows, Participants(participants), options)
    else:
        with predictions.open("rb") as lines:
            found = read_predictions(json_rows(lines), options)
    report = score(rows, found, options)
    emit(as_json, report, lambda console: _show_report(console, report))


def _scanned(
    rows: Sequence[Mapping[str, Any]], participants: Participants, options: ScoreOptions
) -> Predictions:
    asked = [{**row, "participants": participants.of(row)} for row in rows]
    started = time.perf_counter()
    spans = list(scan_rows(asked))
    seconds = time.perf_counter() - started
    return read_predictions([*spans, {"seconds": seconds}], options)


_COLUMNS = ("n", "covered", "partial", "recall", "leak_rate", "digits_n", "digits_recall")


def _show_report(console: Console, report: Mapping[str, Any], title: str = "") -> None:
    if title:
        console.print(f"\n{title}", style="bold", markup=False)
    named = [*report["types"].items(), *report.get("tiers", {}).items(), ("all", report["all"])]
    cells = [[name, *(plain(counts.get(column, "")) for column in _COLUMNS)] for name, counts in named]
    console.print(rows_table(("", *_COLUMNS), cells))
    nested = {"types", "tiers", "all", "groups", "misses", "over_masked"}
    console.print(facts((name, value) for name, value in report.items() if name not in nested))
    for listed in ("misses", "over_masked"):
        if report.get(listed):
            columns = tuple(report[listed][0])
            console.print(rows_table(columns, [[plain(one[c]) for c in columns] for one in report[listed]]))
    for name, group in report.get("groups", {}).items():
        _show_report(console, group, name)


@app.command("try")
def try_lines(
    participants: ParticipantsOption = "",
    sender: Annotated[str, typer.Option(help="Who writes the lines.")] = "",
    subject: Annotated[str, typer.Option(help="Who is a subject: this name stays readable.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Paste lines, see them masked: a colour a type, one pseudonym a value. Nothing is kept."""
    trial = Trial(Participants(participants).everybody, sender, subject)
    found: dict[InfoType, int] = {}
    if sys.stdin.isatty() and not as_json:
        err().print("Type or paste lines; end with Ctrl-D.", style="dim")
    for line in sys.stdin:
        masked = trial.masked(line.rstrip("\r\n"))
        for span in masked.spans:
            found[span.type] = found.get(span.type, 0) + 1
        if as_json:
            emit(as_json, as_object(masked), Console.print)
        else:
            out().print(coloured(masked))
    if found and not as_json:
        out().print(legend(list(found)))
        out().print(facts((one.value, count) for one, count in found.items()))
