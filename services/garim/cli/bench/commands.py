"""`garim bench`: the commands."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from garim.cli.bench import audit, dossier, ingest, read, unmask
from garim.cli.bench.figures import Figure, figures_json, figures_table
from garim.cli.bench.members import measure as measure_members
from garim.cli.bench.plan import MeasureFunction, Plan
from garim.cli.bench.postgres import Databases
from garim.cli.files import make_folder, write_private
from garim.cli.options import JsonOption
from garim.cli.output import emit, err

BENCHES: dict[str, MeasureFunction] = {
    "ingest": ingest.measure,
    "members": measure_members,
    "read": read.measure,
    "dossier": dossier.measure,
    "unmask": unmask.measure,
    "audit": audit.measure,
}
FOLDER = Path(".garim/bench")
WIDE = 200

app = typer.Typer(
    no_args_is_help=True, help="Figures of a mesh of real processes, each beside a peer of the same run."
)


def _register(name: str, measures: dict[str, MeasureFunction], about: str) -> None:
    def command(
        database: Annotated[
            str,
            typer.Option("--database", help="sqlite, postgresql (a server of the bench's own), or a URL."),
        ] = "sqlite",
        database_password: Annotated[
            Path | None, typer.Option("--database-password-file", help="File with that URL's password.")
        ] = None,
        database_trust: Annotated[
            Path | None, typer.Option("--database-trust", help="Certificates its server's chain to (PEM).")
        ] = None,
        messages: Annotated[int, typer.Option("--messages", min=1, help="Messages, for each run.")] = 500_000,
        conversations: Annotated[
            int, typer.Option("--conversations", min=1, help="Conversations that they are spread over.")
        ] = 50,
        members: Annotated[int, typer.Option("--members", min=2, help="Members of each.")] = 20,
        runs: Annotated[int, typer.Option("--runs", min=1, help="Runs; the median counts.")] = 5,
        text: Annotated[
            list[Path] | None,
            typer.Option(
                "--text", help="File of texts, one a line; may be repeated. An invented chat without."
            ),
        ] = None,
        folder: Annotated[Path, typer.Option("--folder", help="Where everything is written.")] = FOLDER,
        as_json: JsonOption = False,
    ) -> None:
        load = os.getloadavg()
        work = folder / name
        shutil.rmtree(work, ignore_errors=True)
        make_folder(work)
        with Databases(database, database_password, database_trust) as databases:
            plan = Plan(
                databases,
                messages,
                conversations,
                members,
                runs,
                tuple(text or ()),
                work,
                lambda _what: None if as_json else err().print(_what, style="dim"),
            )
            figures = [one for measure in measures.values() for one in measure(plan)]
        _show(name, figures, load, folder, as_json)

    app.command(name, help=about)(command)


def _show(name: str, figures: list[Figure], load: tuple[float, ...], folder: Path, as_json: bool) -> None:
    value = figures_json(figures, load)
    write_private(
        folder / f"{name}.json", json.dumps(value, indent=1, ensure_ascii=False).encode(), replace=True
    )

    def render(console: Console) -> None:
        wide = console if console.is_terminal else Console(file=console.file, width=WIDE)
        wide.print(figures_table(figures))

    emit(as_json, value, render)


_ABOUT = {
    "ingest": "Messages made durable a second, beside COPY and inserts of the same as plaintext rows.",
    "members": "Messages of large groups made durable a second, beside those of conversations of two.",
    "audit": "Log entries appended and proven a second, beside pymerkle.",
    "unmask": "Keys released a second and identities collected, beside OpenBao's unwraps.",
    "dossier": "Messages made into a package a second, end to end, and what every service takes for it.",
    "read": "Messages of a scope read a second, beside SELECT of the same as plaintext rows.",
}
for _name, _measure in BENCHES.items():
    _register(_name, {_name: _measure}, _ABOUT[_name])
_register("all", BENCHES, "Every bench, in one table.")
