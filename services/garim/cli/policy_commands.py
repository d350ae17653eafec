"""`garim policy`: the operator's dated policy in words, its schema, and what it says of a document."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from garim.cli.files import read_input
from garim.cli.options import JsonOption
from garim.cli.output import emit, facts, rows_table
from garim.cli.policy_explain import explain_command
from garim.cli.policy_times import AtOption, instant_of
from garim.cli.policy_words import Paragraph, policy_value, policy_words
from garim.documents.policy import load_policy
from garim.documents.policy_schema import policy_schema

app = typer.Typer(no_args_is_help=True, help="The operator's dated policy.")
app.command("explain")(explain_command)


@app.command()
def schema(_as_json: JsonOption = False) -> None:
    """Print the policy file's JSON Schema."""
    sys.stdout.buffer.write(policy_schema())


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A policy file.")],
    at: AtOption = "",
    as_json: JsonOption = False,
) -> None:
    """Explain a policy in Korean and English as it stands at a time, and what its dates leave open."""
    policy = load_policy(read_input(file, "policy"))
    instant_ms = instant_of(at)
    value = policy_value(policy, instant_ms)

    def render(console: Console) -> None:
        for paragraph in policy_words(policy, instant_ms):
            _print(console, paragraph)

    emit(as_json, value, render)


def _print(console: Console, paragraph: Paragraph) -> None:
    console.print(Text(f"\n{paragraph.title}", style="bold"))
    if paragraph.columns:
        console.print(rows_table(paragraph.columns, paragraph.rows))
    else:
        pairs: list[tuple[str, Any]] = [(row[0], row[1]) for row in paragraph.rows]
        console.print(facts(pairs))
    for line in paragraph.notes:
        console.print(Text(line, style="yellow"))
