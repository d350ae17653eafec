"""What a command prints: tables and plain words for people, JSON for programs, refusals for both."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.text import Text

from garim.statements.refusal import RefusedError, reasons_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Render = Callable[[Console], None]
# What a service says of a refusal is said for every caller; this is for whoever sits at a terminal.
_HINTS = {
    "PEER_UNAVAILABLE": "Does the mesh run? See `garim mesh status`; start it with `garim mesh up`.",
    "LOG_UNAVAILABLE": "Nothing opens without the log. See `garim mesh status`.",
    "ACCESS_DENIED": "Another role does this: name who acts with --as ROLE/NAME.",
    "GOVERNANCE_VERSION": "Governance has changed since: look again, then decide again.",
}


def out() -> Console:
    """Return the console on standard output."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=True)


def err() -> Console:
    """Return the console on standard error."""
    return Console(file=sys.stderr, highlight=False, soft_wrap=True)


def emit(as_json: bool, value: Mapping[str, Any], render: Render) -> None:
    """Print a result.

    Args:
        as_json: Whether a program reads it.
        value: The result as JSON.
        render: Prints it for people.
    """
    if as_json:
        sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    else:
        render(out())


def facts(rows: Iterable[tuple[str, Any]]) -> Text:
    """Return names and values, one pair a line; values are never folded, so that they can be copied."""
    pairs = [(name, plain(value)) for name, value in rows]
    width = max((cell_len(name) for name, _ in pairs), default=0)
    text = Text()
    for position, (name, value) in enumerate(pairs):
        text.append("\n" if position else "")
        text.append(name + " " * (width - cell_len(name)), style="bold")
        text.append(f"  {value}")
    return text


def plain(value: object) -> str:
    """Return a value as people read it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {plain(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain(one) for one in value)
    return str(value)


def rows_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Text:
    """Return aligned rows under a head; cells are never cut, so that ids can be copied."""
    cells = [list(columns), *([str(cell) for cell in row] for row in rows)]
    widths = [max(cell_len(row[at]) for row in cells) for at in range(len(columns))]
    text = Text()
    for position, row in enumerate(cells):
        padded = [cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        line = "  ".join(padded).rstrip()
        text.append(line if position == 0 else f"\n{line}", style="bold" if position == 0 else "")
    return text


def error_json(error: RefusedError) -> dict[str, Any]:
    """Return a refusal as JSON."""
    return {
        "error": {
            "kind": error.kind.value,
            "reasons": [
                {"reason": one.reason, "field": one.field, "message": one.message}
                for one in reasons_of(error)
            ],
        }
    }


def print_refusal(error: RefusedError, *, as_json: bool) -> None:
    """Print a refusal: reason, field, and what is wrong and to be done."""
    if as_json:
        sys.stdout.write(json.dumps(error_json(error), ensure_ascii=False) + "\n")
        return
    console = err()
    for one in reasons_of(error):
        where = f" ({one.field})" if one.field else ""
        console.print(Text.assemble(("refused ", "bold red"), (one.reason, "bold"), where))
        console.print(Text(f"  {one.message}"))
        if hint := _HINTS.get(one.reason):
            console.print(Text(f"  {hint}", style="dim"))


class Bar:
    """One progress bar that counts towards a total.

    Args:
        progress: Where it is drawn; None draws nothing.
        what: What is counted.
        total: How many there are; None where unknown.
    """

    def __init__(self, progress: Progress | None, what: str, total: int | None) -> None:
        self._progress = progress
        self._task = None if progress is None else progress.add_task(what, total=total)

    def to(self, done: int, total: int | None = None, what: str | None = None) -> None:
        """Show how far it is.

        Args:
            done: How many are done.
            total: How many there are, where that is known better now.
            what: What is counted, where that changed.
        """
        if self._progress is None or self._task is None:
            return
        changes: dict[str, Any] = {"completed": done}
        if total is not None:
            changes["total"] = total
        if what is not None:
            changes["description"] = what
        self._progress.update(self._task, **changes)


@contextmanager
def bar(what: str, total: int | None = None, *, quiet: bool = False) -> Iterator[Bar]:
    """Show a progress bar on standard error, if a person looks at it.

    Args:
        what: What is counted.
        total: How many there are.
        quiet: Draw nothing.
    """
    console = err()
    if quiet or not console.is_terminal:
        yield Bar(None, what, total)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bar(progress, what, total)
