"""`garim redact scan`: the masking engine offline, with the code that the service uses."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from garim.cli.files import replacing
from garim.cli.options import JsonOption
from garim.cli.output import emit, facts
from garim.masking.scan_rows import scan_rows
from garim.statements.refusal import RefusedError

app = typer.Typer(no_args_is_help=True, help="The masking engine, offline.")


@app.callback()
def group() -> None:
    """The masking engine, offline."""


@app.command()
def scan(
    source: Annotated[
        Path, typer.Argument(metavar="IN.jsonl", help="Rows {id, text, participants?, sender?}.")
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT.jsonl", help="Rows {id, spans} are written here.")],
    as_json: JsonOption = False,
) -> None:
    """Find what would be masked in each row; no text is written."""
    rows = spans = 0
    with source.open("rb") as lines, replacing(target) as written:
        started = time.perf_counter()
        for row in scan_rows(_rows(lines)):
            rows += 1
            spans += len(row["spans"])
            _write(written, row)
        seconds = time.perf_counter() - started
        _write(written, {"seconds": round(seconds, 6)})
    figures = {"rows": rows, "spans": spans, "seconds": round(seconds, 3)}
    emit(as_json, figures, lambda console: console.print(facts(figures.items())))


def _write(target: IO[bytes], row: dict[str, Any]) -> None:
    target.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def _rows(lines: IO[bytes]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
            raise RefusedError("ROW_MALFORMED", f"line {number} is not JSON in UTF-8") from None
        if not isinstance(row, dict):
            raise RefusedError("ROW_MALFORMED", f"line {number} is no JSON object")
        yield row
